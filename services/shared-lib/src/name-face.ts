import type { CandidateMessage } from './face-messages.ts';

/**
 * Two people this near to each other's distance from a face are look-alikes: nobody is named, for the nearer one would be a
 * guess. In units of the descriptor's distance. Small on purpose: it decides only what a coin would decide otherwise.
 */
export const MARGIN = 0.01;

const CANDIDATES = 3;

/** Who owns a known photo, or undefined where no person does. */
export type OwnerOf = (imageName: string) => { id: number } | undefined;

/** As it stands in column `faces.candidates`. */
export type CandidatePerson = { person: number; imageName: string; distance: number };

export type NamedFace = {
  /** The person that the face was given, with the known photo that decided. */
  match: CandidatePerson | undefined;
  /** The nearest people, at most three, each with their nearest photo. */
  candidates: CandidatePerson[];
  /** Ids of two people too near to each other to tell: the face has no match then. */
  lookAlikes: [number, number] | undefined;
};

/**
 * Names a face by the known photos near it (nearest first). A photo that no person owns is passed over; the nearest owned one
 * at or under the threshold decides, unless another person is nearly as near.
 */
export function nameFace(near: readonly CandidateMessage[], ownerOf: OwnerOf, threshold: number, margin = MARGIN): NamedFace {
  const people = new Map<number, CandidatePerson>();
  for (const { imageName, distance } of near.toSorted((a, b) => a.distance - b.distance)) {
    const owner = ownerOf(imageName);
    if (!owner || people.has(owner.id)) continue;
    people.set(owner.id, { person: owner.id, imageName, distance });
    if (people.size === CANDIDATES) break;
  }
  const [first, second] = people.values();
  const isNear = first !== undefined && first.distance <= threshold;
  const isTie = isNear && second !== undefined && second.distance <= threshold && second.distance - first.distance < margin;
  return {
    match: isNear && !isTie ? first : undefined,
    candidates: [...people.values()],
    lookAlikes: isTie ? [first.person, second.person] : undefined,
  };
}
