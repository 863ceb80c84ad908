import { type Conversation, type GalleryClient, GalleryError } from './gallery-client.ts';

// face-recognition ends connections after 15 s, so that clients see new pods, and gives what runs on them 30 s more.
const RENEW_AFTER_MS = 15_000;
const CONVERSATION_MS = 40_000;

export type SteadyOptions = { gallery: Pick<GalleryClient, 'converse'>; now?: () => number };

/**
 * A conversation that may take any time: it goes on in a new one before the old one's connection ends, and asks once more where
 * a process dies. What has it last is the process that answers for the gallery.
 */
export function createSteadyConversation({ gallery, now = () => performance.now() }: SteadyOptions): Conversation {
  let current = gallery.converse(CONVERSATION_MS);
  let renewAt = now() + RENEW_AFTER_MS;

  function renew(): void {
    current.end();
    current = gallery.converse(CONVERSATION_MS);
    renewAt = now() + RENEW_AFTER_MS;
  }

  async function ask<T>(step: (conversation: Conversation) => Promise<T>): Promise<T> {
    if (now() >= renewAt) renew();
    try {
      return await step(current);
    } catch (error) {
      if (!(error instanceof GalleryError) || error.code !== 'away') throw error;
      renew();
      return step(current);
    }
  }

  return {
    examine: (photo) => ask((conversation) => conversation.examine(photo)),
    add: (imageNames) => ask((conversation) => conversation.add(imageNames)),
    remove: (imageNames) => ask((conversation) => conversation.remove(imageNames)),
    end: () => current.end(),
  };
}
