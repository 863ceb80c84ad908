import { NOBODY } from '@kube-face/shared-lib/image-status';
import { bestOf } from './keep-corrected.ts';
import type { FaceResult, Reading } from './read-answer.ts';

/** Everybody whom a reading names. */
export function peopleIn({ person, faces = [] }: Reading): number[] {
  const named = faces.flatMap((face) => [face.person, ...face.candidates.map((candidate) => candidate.person)]);
  return [...new Set([person, ...named])].filter((id) => id !== NOBODY);
}

/** A reading as if the people that `exists` does not know had never been known. */
export function forgetPeople(reading: Reading, exists: (person: number) => boolean): Reading {
  if (peopleIn(reading).every(exists)) return reading;
  const faces = reading.faces?.map((face): FaceResult => {
    const candidates = face.candidates.filter(({ person }) => exists(person));
    return face.person === NOBODY || exists(face.person)
      ? { ...face, candidates }
      : { ...face, candidates, person: NOBODY, imageName: undefined };
  });
  const best = faces && bestOf(faces);
  const person = best?.person ?? (faces === undefined && exists(reading.person) ? reading.person : NOBODY);
  return {
    ...reading,
    faces,
    person,
    distance: best?.distance,
    outcome: person !== NOBODY ? 'match' : faces?.length === 0 ? 'no_face' : 'unknown',
  };
}
