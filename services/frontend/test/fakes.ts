import type { Photo } from '../src/photo.ts';
import type { Candidate, Face } from '../src/photo-detail.ts';

export const NOON = new Date('2026-03-14T12:00:00.000Z');
export const later = (ms: number) => new Date(NOON.getTime() + ms);

/** A photo that was just posted, unless `change` says otherwise. */
export function fakePhoto(change: Partial<Photo> = {}): Photo {
  return {
    id: 7,
    path: '/unknown_people/a.jpg',
    status: 'pending',
    outcome: null,
    detail: null,
    person: null,
    distance: null,
    faceCount: null,
    attempts: 0,
    model: null,
    retryAt: null,
    queuedAt: NOON,
    createdAt: NOON,
    startedAt: null,
    finishedAt: null,
    ...change,
  };
}

export const matched = (change: Partial<Photo> = {}) =>
  fakePhoto({
    status: 'processed',
    outcome: 'match',
    person: { id: 3, name: 'Hannibal' },
    distance: 0.4123,
    faceCount: 2,
    attempts: 1,
    startedAt: later(1_000),
    finishedAt: later(1_240),
    ...change,
  });

export const failed = (change: Partial<Photo> = {}) =>
  fakePhoto({
    status: 'failed',
    outcome: 'missing_file',
    attempts: 1,
    startedAt: later(1_000),
    finishedAt: later(1_010),
    ...change,
  });

export const candidate = (name: string, distance: number, id = 3): Candidate => ({
  person: { id, name },
  imageName: `${name.toLowerCase()}.jpg`,
  distance,
  knownId: id * 10,
});

/** A stranger's face, unless `change` says otherwise. */
export function fakeFace(change: Partial<Face> = {}): Face {
  return {
    id: 70,
    box: { x: 100, y: 50, width: 40, height: 50 },
    person: null,
    imageName: null,
    distance: null,
    candidates: [],
    isCorrected: false,
    ...change,
  };
}
