import type { Neighbour } from './search-index.ts';

/** What the serving thread tells the search thread. Messages are worked on one by one, so a search sees a change wholly or not. */
export type SearchMessage =
  | { type: 'change'; version: number; put: { names: string[]; descriptors: Float32Array }; removed: string[] }
  | { type: 'search'; id: number; descriptors: Float32Array }
  | { type: 'decide'; id: number; descriptors: Float32Array; among: string[]; threshold: number }
  | { type: 'export'; id: number; names: string[] };

/** Of a face that was judged anew; null where no photo of `among` was near enough. */
export type Judged = Neighbour[] | null;

export type SearchReply =
  | { id: number; version: number; judged: Judged[] }
  /** The descriptors of the names that are known, one after the other, and those names. */
  | { id: number; version: number; names: string[]; descriptors: Float32Array };
