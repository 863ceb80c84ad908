import { expect, test } from 'vitest';
import { createNameRows } from '../../src/gallery/name-rows.ts';

test('says which row a name has, through any order of additions and removals', () => {
  const names: string[] = [];
  const rows = createNameRows((row) => names[row] as string);
  const truth = new Map<string, number>();
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
  for (let step = 0; step < 20_000; step++) {
    const name = `${random(700)}.jpg`;
    if (random(2) === 0) {
      const row = truth.get(name) ?? names.push(name) - 1;
      truth.set(name, row);
      rows.set(name, row);
    } else {
      rows.delete(name);
      truth.delete(name);
    }
    const asked = `${random(700)}.jpg`;
    expect(rows.get(asked)).toBe(truth.get(asked));
  }
  for (let i = 0; i < 700; i++) expect(rows.get(`${i}.jpg`)).toBe(truth.get(`${i}.jpg`));
});
