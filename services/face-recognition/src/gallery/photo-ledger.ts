import type { KnownPhoto } from './known-photo.ts';

/** What is known of each photo of the folder, and which contents anybody still has. */
export type PhotoLedger = {
  /** Photos with a usable face, and all of them. */
  readonly size: number;
  readonly total: number;
  get(name: string): KnownPhoto | undefined;
  names(): string[];
  /** Undefined: there is no such photo any more. */
  set(name: string, photo: KnownPhoto | undefined): void;
  /** Whether any photo has this content. */
  isNeeded(hash: string): boolean;
  /** Contents that photos have lost since last asked, and that none has now. */
  takeOrphans(): string[];
  counts(): { skipped: Map<string, number>; severalFaces: number };
};

export function isUsable(photo: KnownPhoto | undefined): boolean {
  return photo !== undefined && photo.skipped === undefined;
}

export function createPhotoLedger(): PhotoLedger {
  const photos = new Map<string, KnownPhoto>();
  const photosByHash = new Map<string, number>();
  const lost = new Set<string>();
  let size = 0;

  function count(hash: string, by: 1 | -1): void {
    if (hash === '') return;
    const left = (photosByHash.get(hash) ?? 0) + by;
    if (left > 0) photosByHash.set(hash, left);
    else photosByHash.delete(hash);
    if (by < 0) lost.add(hash);
  }

  return {
    get size() {
      return size;
    },
    get total() {
      return photos.size;
    },
    get: (name) => photos.get(name),
    names: () => [...photos.keys()],
    set(name, photo) {
      const before = photos.get(name);
      if (photo) count(photo.photo, 1);
      if (before) count(before.photo, -1);
      size += Number(isUsable(photo)) - Number(isUsable(before));
      if (photo) photos.set(name, photo);
      else photos.delete(name);
    },
    isNeeded: (hash) => photosByHash.has(hash),
    takeOrphans() {
      const orphans = [...lost].filter((hash) => !photosByHash.has(hash));
      lost.clear();
      return orphans;
    },
    counts() {
      const skipped = new Map<string, number>();
      let severalFaces = 0;
      for (const photo of photos.values()) {
        if (photo.skipped) skipped.set(photo.skipped, (skipped.get(photo.skipped) ?? 0) + 1);
        else if (photo.faces > 1) severalFaces++;
      }
      return { skipped, severalFaces };
    },
  };
}
