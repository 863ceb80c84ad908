import { OUTCOMES, type Outcome, STATUS_WORDS, type StatusWord } from '@kube-face/shared-lib/image-status';

export const SORTS = ['newest', 'oldest', 'finished', 'path'] as const;
export type Sort = (typeof SORTS)[number];

/**
 * Where a page begins: the place of its neighbour row in the order. `id` orders newest and oldest, `finishedAt` and `id` the
 * last finished, `path` the paths.
 */
export type Place = Readonly<{ id: number; finishedAt?: Date } | { path: string }>;

/** What the table shows; everything of it stands in the address. */
export type PhotoQuery = Readonly<{
  status?: StatusWord;
  outcome?: Outcome;
  person?: number;
  /** A part of the path, in any case. */
  search?: string;
  sort: Sort;
  after?: Place;
  before?: Place;
  /** There are rows of the original's processor, which writes no outcome. Not in the address: whoever knows the counts says so. */
  readsOriginal?: boolean;
}>;

/** An address that nobody's link has; the sentence says which part of it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** A whole number above zero that a number holds exactly, or undefined. */
export function parseId(text: string): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
  return id > 0 && Number.isSafeInteger(id) ? id : undefined;
}

function parsePlace(sort: Sort, text: string): Place | undefined {
  if (sort === 'path') return { path: text };
  if (sort !== 'finished') {
    const id = parseId(text);
    return id === undefined ? undefined : { id };
  }
  const [, ms = '', number = ''] = /^(\d{1,15})\.(\d+)$/.exec(text) ?? [];
  const id = parseId(number);
  return id === undefined ? undefined : { finishedAt: new Date(Number(ms)), id };
}

function formatPlace(place: Place): string {
  if ('path' in place) return place.path;
  return place.finishedAt ? `${place.finishedAt.getTime()}.${place.id}` : String(place.id);
}

function oneOf<T extends string>(name: string, allowed: readonly T[], text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  const found = allowed.find((one) => one === text);
  if (!found) throw new QueryError(`“${name}” must be one of ${allowed.join(', ')}.`);
  return found;
}

/** Reads an address's parameters; empty ones count as absent (a form sends them). Throws a QueryError. */
export function parsePhotoQuery(params: URLSearchParams): PhotoQuery {
  const get = (name: string) => params.get(name)?.trim() || undefined;
  const sort = oneOf('sort', SORTS, get('sort')) ?? 'newest';
  const person = get('person');
  const place = (name: string) => {
    const text = params.get(name);
    if (!text) return undefined;
    const parsed = parsePlace(sort, text);
    if (!parsed) throw new QueryError(`“${name}” is not a place in this order.`);
    return parsed;
  };
  const personId = person === undefined ? undefined : parseId(person);
  if (person !== undefined && personId === undefined) throw new QueryError('“person” must be the number of a person.');
  return {
    status: oneOf('status', STATUS_WORDS, get('status')),
    outcome: oneOf('outcome', OUTCOMES, get('outcome')),
    person: personId,
    search: get('q')?.slice(0, 255),
    sort,
    after: place('after'),
    before: place('before'),
  };
}

/** The address of a query: `/` or `/?…`, always with the parameters in the same order. */
export function photoQueryAddress(query: PhotoQuery, path = '/'): string {
  const params = new URLSearchParams();
  if (query.status) params.set('status', query.status);
  if (query.outcome) params.set('outcome', query.outcome);
  if (query.person) params.set('person', String(query.person));
  if (query.search) params.set('q', query.search);
  if (query.sort !== 'newest') params.set('sort', query.sort);
  if (query.after) params.set('after', formatPlace(query.after));
  if (query.before) params.set('before', formatPlace(query.before));
  return params.size === 0 ? path : `${path}?${params}`;
}

/** Whether anything narrows the table. */
export function isFiltered(query: PhotoQuery): boolean {
  return Boolean(query.status ?? query.outcome ?? query.person ?? query.search);
}
