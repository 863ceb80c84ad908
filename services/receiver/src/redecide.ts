import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import { nameFace } from '@kube-face/shared-lib/name-face';
import { type StartSpan, untraced } from '@kube-face/shared-lib/tracing';
import type { GalleryClient } from './gallery-client.ts';
import { LeaseLostError } from './leased-work.ts';
import type { PersonStore } from './person-store.ts';
import {
  type FaceChange,
  PersonErasedError,
  type Redecision,
  type RedecisionStore,
  type StoredFace,
} from './redecision-store.ts';

export type RedecideDependencies = {
  store: RedecisionStore;
  people: Pick<PersonStore, 'photosOf' | 'ownersOf'>;
  gallery: Pick<GalleryClient, 'decide' | 'describe'>;
  tracer?: StartSpan;
  log: Logger;
};

export type Rehearsal = { examined: number; changed: number };

const CHUNK = 2_000;

type Judge = { model: string; among: string[]; threshold: number };

/**
 * Decides stored faces anew by the gallery of now, from their descriptors: computing nothing again, leaving alone what a hand has
 * set. It goes through the faces by id, so what was cut short goes on where it stopped.
 */
export function createRedecide({ store, people, gallery, tracer = untraced, log }: RedecideDependencies) {
  async function judge(faces: readonly StoredFace[], { model, among, threshold }: Judge): Promise<FaceChange[]> {
    const asked = faces.filter((face) => !face.isCorrected && face.descriptor !== undefined);
    if (asked.length === 0) return [];
    const descriptors = asked.flatMap(({ descriptor }) => descriptor ?? []);
    const { decisions } = await gallery.decide({ descriptors, model, among, threshold });
    const names = new Set(decisions.flatMap(({ candidates }) => candidates.map(({ imageName }) => imageName)));
    const owners = await people.ownersOf([...names]);
    return asked.flatMap((face, index): FaceChange[] => {
      const decision = decisions[index];
      if (!decision?.decided) return [];
      const near = decision.candidates.map(({ imageName, distance }) => ({ imageName, distance: Number(distance.toFixed(6)) }));
      const { match, candidates } = nameFace(near, (imageName) => owners.get(imageName), threshold);
      const isSame = face.person === (match?.person ?? NOBODY) && face.imageName === match?.imageName;
      return isSame ? [] : [{ face, match, candidates }];
    });
  }

  /** Judges and saves; once more for each person who is erased in between. */
  async function decide(id: number, faces: readonly StoredFace[], by: Judge): Promise<void> {
    const lastFace = faces.at(-1)?.id ?? 0;
    for (;;) {
      const changes = await judge(faces, by);
      try {
        await store.save(id, { lastFace, examined: faces.length, changes });
        return;
      } catch (error) {
        if (!(error instanceof PersonErasedError)) throw error;
      }
    }
  }

  async function judgeOf(person: number | undefined, threshold: number | undefined): Promise<Judge | undefined> {
    const { model, threshold: served } = await gallery.describe();
    if (person === undefined) return { model, among: [], threshold: threshold ?? served };
    const among = (await people.photosOf(person)).map(({ imageName }) => imageName);
    return among.length === 0 ? undefined : { model, among, threshold: threshold ?? served }; // nobody's any more
  }

  /** False where it was cut short. */
  async function carryOut(work: Redecision, signal: AbortSignal): Promise<boolean> {
    const by = await judgeOf(work.person, work.threshold);
    let last = work.lastFace;
    while (by) {
      if (signal.aborted) return false;
      const faces = await store.faces(by.model, last, CHUNK);
      const end = faces.at(-1);
      if (!end) break;
      await decide(work.id, faces, by);
      last = end.id;
    }
    await store.finish(work.id);
    log.info({ redecision: work.id, person: work.person }, 'earlier faces are decided anew');
    return true;
  }

  return {
    /** Does the oldest work that is left, to its end. False where there is none. Throws where something is away: then later. */
    async next(signal: AbortSignal): Promise<boolean> {
      const work = await store.claim();
      if (!work) return false;
      const attributes = { 'redecision.id': work.id };
      try {
        return await tracer.span('decide earlier faces', { kind: 'consumer', attributes }, () => carryOut(work, signal));
      } catch (error) {
        if (error instanceof LeaseLostError) return true;
        throw error;
      } finally {
        await store.release(work.id).catch(() => {}); // else its lease ends
      }
    },

    /** What a threshold would change, changing nothing. */
    async rehearse(threshold: number): Promise<Rehearsal> {
      const by = await judgeOf(undefined, threshold);
      const result = { examined: 0, changed: 0 };
      for (let last = 0; by; ) {
        const faces = await store.faces(by.model, last, CHUNK);
        const end = faces.at(-1);
        if (!end) break;
        result.examined += faces.length;
        result.changed += await store.rehearse({ lastFace: end.id, examined: faces.length, changes: await judge(faces, by) });
        last = end.id;
      }
      return result;
    },
  };
}

export type Redecide = ReturnType<typeof createRedecide>;
