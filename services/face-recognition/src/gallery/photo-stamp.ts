import type { BigIntStats } from 'node:fs';

/** What is compared to see that a file changed. The inode's change time moves even where somebody sets the others back. */
export function stampOf(stat: BigIntStats): string {
  return `${stat.size}-${stat.mtimeNs}-${stat.ctimeNs}-${stat.ino}`;
}

/** Whether a file of this name in the folder of known people is a known photo. Hidden files, the cache among them, are not. */
export function isPhotoName(name: string): boolean {
  return /^[^./\0][^/\0]*\.(jpe?g|png|webp)$/i.test(name);
}
