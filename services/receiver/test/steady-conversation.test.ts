import { expect, test } from 'vitest';
import { type Conversation, GalleryError } from '../src/gallery-client.ts';
import { createSteadyConversation } from '../src/steady-conversation.ts';

/** Conversations by number; each answers with its own number, or fails as told. */
function world(failures: Record<number, GalleryError> = {}) {
  let begun = 0;
  let time = 0;
  const ended: number[] = [];
  function converse(): Conversation {
    begun += 1;
    const number = begun;
    const answer = async () => {
      const failure = failures[number];
      if (failure) throw failure;
      return { galleryVersion: number, missing: [] };
    };
    const examine = () => Promise.reject(new Error('not asked here'));
    return { examine, add: answer, remove: answer, end: () => void ended.push(number) };
  }
  const conversation = createSteadyConversation({ gallery: { converse }, now: () => time });
  return {
    conversation,
    ended,
    pass(ms: number) {
      time += ms;
    },
    ask: async () => (await conversation.add([])).galleryVersion,
  };
}

test('stays with one process', async () => {
  const { ask, pass } = world();
  expect([await ask(), await ask()]).toEqual([1, 1]);
  pass(14_999);
  expect(await ask()).toBe(1);
});

test('goes on in a new conversation before the connection ends', async () => {
  const { ask, pass, ended, conversation } = world();
  await ask();
  pass(15_000);
  expect(await ask()).toBe(2);
  expect(ended).toEqual([1]);
  conversation.end();
  expect(ended).toEqual([1, 2]);
});

test('asks another process once where one dies', async () => {
  expect(await world({ 1: new GalleryError('away') }).ask()).toBe(2);
  const both = world({ 1: new GalleryError('away'), 2: new GalleryError('away') });
  await expect(both.ask()).rejects.toThrow('away');
});

test('does not ask again what took too long', async () => {
  const { ask, ended } = world({ 1: new GalleryError('timeout') });
  await expect(ask()).rejects.toThrow('timeout');
  expect(ended).toEqual([]);
});
