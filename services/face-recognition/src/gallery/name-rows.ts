/** Which row a name has: a hash table over the names themselves, a third as large as a Map for a million of them. */
export type NameRows = {
  get(name: string): number | undefined;
  set(name: string, row: number): void;
  delete(name: string): void;
};

const EMPTY = -1;

/** `nameOf` must say the name of every row in the table, and go on saying it while the table is told of a change. */
export function createNameRows(nameOf: (row: number) => string): NameRows {
  let slots = new Int32Array(64).fill(EMPTY);
  let used = 0;

  /** Where the name is, or the empty slot where it belongs. */
  function find(name: string): number {
    const mask = slots.length - 1;
    for (let slot = hash(name) & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot]!;
      if (row === EMPTY || nameOf(row) === name) return slot;
    }
  }

  function grow(): void {
    const old = slots;
    slots = new Int32Array(old.length * 2).fill(EMPTY);
    for (const row of old) if (row !== EMPTY) slots[find(nameOf(row))] = row;
  }

  return {
    get(name) {
      const row = slots[find(name)]!;
      return row === EMPTY ? undefined : row;
    },
    set(name, row) {
      const slot = find(name);
      if (slots[slot] === EMPTY) used++;
      slots[slot] = row;
      if (used * 2 > slots.length) grow();
    },
    delete(name) {
      let gap = find(name);
      if (slots[gap] === EMPTY) return;
      used--;
      slots[gap] = EMPTY;
      // Names behind the gap that were pushed along by it move up, so that a search may end at an empty slot.
      const mask = slots.length - 1;
      for (let slot = (gap + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
        const home = hash(nameOf(slots[slot]!)) & mask;
        if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
        slots[gap] = slots[slot]!;
        slots[slot] = EMPTY;
        gap = slot;
      }
    },
  };
}

/** FNV-1a over UTF-16 units, and a last stir so that the low bits depend on all of it. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
