import type { Photo } from './photo.ts';
import type { PhotoQuery } from './photo-query.ts';

/** Whether the table of a query shows new photos as they come: the first page of the newest. */
export function followsNewest({ sort, after, before }: PhotoQuery): boolean {
  return sort === 'newest' && !after && !before;
}

/** Whether a photo belongs into a query's table, as the database would say, but for people beside the best face. */
export function matches(photo: Photo, { status, outcome, person, search }: PhotoQuery): boolean {
  if (status && photo.status !== status) return false;
  if (outcome && photo.outcome !== outcome) return false;
  if (person && photo.person?.id !== person) return false;
  return !search || photo.path.toLowerCase().includes(search.toLowerCase());
}
