import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { photoOf, sampleFile } from '../../scripts/demo/sample-files.ts';
import { PEOPLE } from '../../scripts/demo/samples.ts';

/** What must come of a photo. `person` by name; null where nobody must be recognised. */
export type Expected = { outcome: string; person: string | null };

type Kind = { name: string; bytes: Buffer; expected: Expected };

/** Real photos of people who are enrolled, of a stranger, and of nobody. */
async function makeKinds(): Promise<Kind[]> {
  const small = (image: Sharp) => image.resize(250, 250, { fit: 'inside' }).jpeg({ quality: 90 }).toBuffer();
  const known = await Promise.all(
    PEOPLE.map(async ({ name }) => ({
      name: name.toLowerCase(),
      bytes: await small(sharp(await photoOf(name))),
      expected: { outcome: 'match', person: name },
    })),
  );
  const wall = sharp({ create: { width: 250, height: 250, channels: 3, background: '#7f9f6f' } });
  return [
    ...known,
    {
      name: 'stranger',
      bytes: await sharp(sampleFile('sample5.jpg')).resize(640).jpeg().toBuffer(),
      expected: { outcome: 'unknown', person: null },
    },
    { name: 'wall', bytes: await small(wall), expected: { outcome: 'no_face', person: null } },
  ];
}

export type PhotoMaker = {
  /** Puts a new file into the folder and tells its path and what must come of it. */
  next(prefix: string): Promise<{ path: string; expected: Expected }>;
};

/** Every photo is a file of its own; their contents repeat, as hard links. */
export async function createPhotoMaker(unknownPeople: string, baseFolder: string): Promise<PhotoMaker> {
  const kinds = await makeKinds();
  for (const { name, bytes } of kinds) await writeFile(join(baseFolder, `${name}.jpg`), bytes);
  let made = 0;
  return {
    async next(prefix) {
      const kind = kinds[made % kinds.length] as Kind;
      made += 1;
      const path = `${prefix}-${made}-${kind.name}.jpg`;
      await link(join(baseFolder, `${kind.name}.jpg`), join(unknownPeople, path));
      return { path, expected: kind.expected };
    },
  };
}
