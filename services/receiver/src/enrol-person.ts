import { readFile } from 'node:fs/promises';
import type { ExaminedFaceMessage } from '@kube-face/shared-lib/face-messages';
import type { Logger } from '@kube-face/shared-lib/logger';
import { away } from './api-error.ts';
import { type Conversation, type GalleryClient, GalleryError } from './gallery-client.ts';
import { type KnownPhotos, slugOf } from './known-photos.ts';
import type { PersonName, PersonStore } from './person-store.ts';
import { createSteadyConversation } from './steady-conversation.ts';
import type { ReceivedPhoto } from './temporary-photos.ts';
import { type Refusal, usableFace } from './usable-face.ts';

export type Near = { person: PersonName; imageName: string; distance: number };

/** What became of one photo of a person. */
export type EnrolledPhoto = { fileName: string | null } & (
  | { status: 'enrolled'; imageName: string; near?: Near }
  | { status: 'already_enrolled'; imageName: string }
  | { error: Refusal }
);

export type EnrolmentResult = { person: PersonName | undefined; isNew: boolean; photos: EnrolledPhoto[] };

export type EnrolDependencies = {
  gallery: Pick<GalleryClient, 'converse' | 'describe'>;
  people: PersonStore;
  knownPhotos: KnownPhotos;
  log: Logger;
  /** Told once a person has new photos: earlier strangers may be theirs. */
  onEnrolled: () => void;
};

type Stored = Extract<ReceivedPhoto, { file: string }>;
type Accepted = { photo: Stored; face: ExaminedFaceMessage };
type Enrolment = {
  name: string;
  slug: string;
  accepted: readonly Accepted[];
  conversation: Conversation;
  threshold: number;
};

const hex = (sha256: Buffer | undefined) => sha256?.toString('hex') ?? '';

/**
 * Enrols a person by photos that lie in temporary files, or adds them to the person of that name. Each photo has its own outcome;
 * nobody is made where none is usable. Rows are written before the files get their names, because a known photo without an owner
 * is nobody's, and a row without a file is made whole by posting the photo again. Throws 503, and keeps nothing, where
 * face recognition is away.
 */
export function createEnrolPerson({ gallery, people, knownPhotos, log, onEnrolled }: EnrolDependencies) {
  /** Photos that the person has already, by their bytes, as long as their files stand. */
  async function enrolledAlready(person: PersonName | undefined): Promise<Map<string, string>> {
    const photos = person ? await people.photosOf(person.id) : [];
    const known = await Promise.all(photos.map(async (photo) => ({ ...photo, stands: await knownPhotos.has(photo.imageName) })));
    return new Map(known.filter(({ stands }) => stands).map(({ sha256, imageName }) => [hex(sha256), imageName]));
  }

  async function examine(conversation: Conversation, photo: Stored): Promise<ExaminedFaceMessage | Refusal> {
    return usableFace(await conversation.examine(await readFile(photo.file)));
  }

  async function nearOf(
    { face }: ExaminedFaceMessage,
    self: PersonName | undefined,
    threshold: number,
  ): Promise<Near | undefined> {
    const owners = await people.ownersOf(face.candidates.map(({ imageName }) => imageName));
    for (const { imageName, distance } of face.candidates) {
      const person = owners.get(imageName);
      if (distance <= threshold && person && person.id !== self?.id) return { person, imageName, distance };
    }
    return undefined;
  }

  async function keep({ name, slug, accepted, conversation, threshold }: Enrolment) {
    const known = await people.find(name);
    const already = await enrolledAlready(known); // asked again: another request may have brought the same photo meanwhile
    const fresh = accepted.filter(({ photo }) => !already.has(hex(photo.sha256)));
    const outcomes = new Map<Accepted, EnrolledPhoto>();
    for (const one of accepted) {
      const imageName = already.get(hex(one.photo.sha256));
      if (imageName !== undefined) outcomes.set(one, { fileName: one.photo.fileName, status: 'already_enrolled', imageName });
    }
    if (fresh.length === 0) return { person: known, isNew: false, outcomes };

    const near = await Promise.all(fresh.map(({ face }) => nearOf(face, known, threshold)));
    const names = await knownPhotos.freeNames(
      slug,
      fresh.map(({ photo }) => photo.kind),
      await people.namesLike(slug),
    );
    const person = await people.addPhotos(
      name,
      fresh.map(({ photo }, index) => ({ imageName: names[index] as string, sha256: photo.sha256 })),
    );
    const undo = async (imageNames: readonly string[], isWhole: boolean) => {
      await knownPhotos.remove(imageNames);
      await people.removePhotos({ ...person, isNew: person.isNew && isWhole }, imageNames);
    };
    try {
      for (const [index, { photo }] of fresh.entries()) await knownPhotos.place(photo.file, names[index] as string);
      const { missing } = await conversation.add(names);
      if (missing.length > 0) await undo(missing, missing.length === fresh.length);
      for (const [index, one] of fresh.entries()) {
        const imageName = names[index] as string;
        const { fileName } = one.photo;
        if (missing.includes(imageName)) {
          const message = 'face recognition does not find the photo in the folder of known people';
          outcomes.set(one, { fileName, error: { code: 'not_loaded', message } });
        } else {
          const nearby = near[index];
          outcomes.set(one, { fileName, status: 'enrolled', imageName, ...(nearby && { near: nearby }) });
        }
      }
      const isGone = person.isNew && missing.length === fresh.length;
      return { person: isGone ? undefined : { id: person.id, name }, isNew: person.isNew, outcomes };
    } catch (error) {
      await undo(names, true).catch((cause) => log.error({ error: cause, names }, 'could not take back an enrolment'));
      throw error;
    }
  }

  return async function enrolPerson(name: string, received: readonly ReceivedPhoto[]): Promise<EnrolmentResult> {
    const slug = slugOf(name);
    const known = await people.find(name);
    const already = await enrolledAlready(known);
    const conversation = createSteadyConversation({ gallery });
    try {
      const { threshold } = await gallery.describe();
      const seen = new Map<string, Accepted>();
      const photos: (EnrolledPhoto | Accepted)[] = [];
      for (const photo of received) {
        const { fileName } = photo;
        if (photo.file === undefined) {
          photos.push({ fileName, error: photo.error });
          continue;
        }
        const key = hex(photo.sha256);
        const imageName = already.get(key);
        const twin = seen.get(key);
        if (imageName !== undefined) photos.push({ fileName, status: 'already_enrolled', imageName });
        else if (twin) photos.push(twin);
        else {
          const face = await examine(conversation, photo);
          if ('code' in face) photos.push({ fileName, error: face });
          else {
            seen.set(key, { photo, face });
            photos.push({ photo, face });
          }
        }
      }
      const accepted = [...seen.values()];
      if (accepted.length === 0) {
        return { person: known, isNew: false, photos: photos.filter((photo) => 'fileName' in photo) };
      }
      const { person, isNew, outcomes } = await people.locked([slug], () =>
        keep({ name, slug, accepted, conversation, threshold }),
      );
      onEnrolled();
      return { person, isNew, photos: inOrder(photos, seen, outcomes) };
    } catch (error) {
      if (error instanceof GalleryError) {
        throw away('face_recognition_away', 'face recognition gives no answer; nothing was kept', error);
      }
      throw error;
    } finally {
      conversation.end();
    }
  };
}

export type EnrolPerson = ReturnType<typeof createEnrolPerson>;

/** Outcomes in the request's order; the second of two equal photos is one that the person has by then. */
function inOrder(
  photos: readonly (EnrolledPhoto | Accepted)[],
  accepted: ReadonlyMap<string, Accepted>,
  outcomes: ReadonlyMap<Accepted, EnrolledPhoto>,
): EnrolledPhoto[] {
  const told = new Set<Accepted>();
  return photos.map((photo): EnrolledPhoto => {
    if ('fileName' in photo) return photo;
    const first = accepted.get(hex(photo.photo.sha256)) as Accepted;
    const outcome = outcomes.get(first) as EnrolledPhoto;
    const isFirst = !told.has(first);
    told.add(first);
    if (isFirst || !('imageName' in outcome)) return outcome;
    return { fileName: photo.photo.fileName, status: 'already_enrolled', imageName: outcome.imageName };
  });
}
