import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameFace } from '@kube-face/shared-lib/name-face';
import { loadEngine } from '../services/face-recognition/src/engine/load-engine.ts';
import { accepted, apart, central, type Judged, type Role, WAYS } from './engine-pairs.ts';
import { type BenchRow, round } from './figures.ts';
import { MODELS, type Runtime } from './models.ts';

type LabelledPhoto = { kind: string; person: string; file: string } & Record<Role, Float32Array | undefined>;

/**
 * A folder with `labels.csv` (folder,file,person): what is in `known` is known, what is in `unknown` must get its person's name, what is in
 * `strangers` none. Decided as the service decides; `look-alikes` are those of `unknown` that the margin between two people left without a
 * name. The second table takes every photo with every other.
 */
export async function benchFolder(runtime: Runtime, folder: string): Promise<{ named: BenchRow[]; pairs: BenchRow[] }> {
  const engine = await loadEngine({ modelsDir: MODELS, runtime, hasGlibc: true });
  const lines = (await readFile(join(folder, 'labels.csv'), 'utf8')).trim().split(/\r?\n/).slice(1);
  const photos: LabelledPhoto[] = [];
  for (const line of lines) {
    const [kind = '', file = '', person = ''] = line.split(',');
    const bytes = await readFile(join(folder, kind, file));
    const describe = async (known: boolean) => {
      const { faces, width, height } = await engine.analyse(bytes, known);
      return central(faces, width, height)?.descriptor;
    };
    photos.push({ kind, person, file, query: await describe(false), known: await describe(true) });
  }
  const named = nameAll(photos, engine.model.threshold).map((row) => ({ runtime: engine.runtime, ...row }));
  const pairs = WAYS.map(({ compared, one, other }) => ({
    runtime: engine.runtime,
    compared,
    ...accepted(everyPair(photos, one, other)),
  }));
  return { named, pairs };
}

/** At the default threshold and around it. */
function nameAll(photos: readonly LabelledPhoto[], threshold: number): BenchRow[] {
  const gallery = photos.filter(({ kind }) => kind === 'known');
  const people = [...new Set(gallery.map(({ person }) => person))];
  const owners = new Map(gallery.map(({ file, person }) => [file, { id: people.indexOf(person) }]));
  const asked = photos
    .filter(({ kind }) => kind !== 'known')
    .map((photo) => ({
      ...photo,
      near: gallery.map(({ file, known }) => ({ imageName: file, distance: apart(photo.query, known) })),
    }));
  const total = (kind: string) => asked.filter((photo) => photo.kind === kind).length;

  return [threshold - 0.04, threshold - 0.02, threshold, threshold + 0.02, threshold + 0.04].map((limit) => {
    const decided = asked.map(({ kind, person, near }) => {
      const { match, lookAlikes } = nameFace(near, (imageName) => owners.get(imageName), limit);
      return { kind, person, named: match && people[match.person], isLookAlike: lookAlikes !== undefined };
    });
    const count = (which: (each: (typeof decided)[number]) => boolean) => decided.filter(which).length;
    return {
      threshold: `${round(limit, 3)}${limit === threshold ? ' *' : ''}`,
      'named right': `${count(({ kind, person, named }) => kind === 'unknown' && named === person)} of ${total('unknown')}`,
      'named wrongly': count(({ kind, person, named }) => kind === 'unknown' && named !== undefined && named !== person),
      'look-alikes': count(({ kind, isLookAlike }) => kind === 'unknown' && isLookAlike),
      'strangers named': `${count(({ kind, named }) => kind === 'strangers' && named !== undefined)} of ${total('strangers')}`,
      'no face': asked.filter(({ query }) => query === undefined).length,
    };
  });
}

/** A stranger is a person of their own. */
function everyPair(photos: readonly LabelledPhoto[], one: Role, other: Role): Judged[] {
  const pairs: Judged[] = [];
  for (const [i, left] of photos.entries()) {
    for (const right of photos.slice(i + 1))
      pairs.push({ same: left.person !== '' && left.person === right.person, far: apart(left[one], right[other]) });
  }
  return pairs;
}
