export type Group<Item, Result> = {
  add(item: Item): Promise<Result>;
  /** Items that wait, or are under way. */
  readonly size: number;
  /** Something changed that `mayWait` depends on. */
  hurry(): void;
};

export type GroupOptions = {
  maxItems: number;
  isShared: (error: unknown) => boolean;
  /** Whether it does no harm to wait for more items, up to `waitMs`. */
  mayWait?: () => boolean;
  waitMs?: number;
};

/**
 * Does in one go what is asked for at about the same time: what arrives in one turn goes together, at once, and what arrives while
 * it is under way forms the next group. So nothing waits while the process is idle, and groups grow by themselves under load;
 * `mayWait` lets them grow where whoever asked has no use for an early answer.
 *
 * `work` answers one result an item, in order. Where it throws for several items and the fault may be one item's own (`isShared`
 * says no), each is tried alone, so that a bad one fails by itself.
 */
export function createGroup<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  { maxItems, isShared, mayWait = () => false, waitMs = 0 }: GroupOptions,
): Group<Item, Result> {
  type Waiting = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let underWay = 0;
  let busy = false;
  let look = () => {};

  async function settle(group: Waiting[]): Promise<void> {
    try {
      const results = await work(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
    } catch (error) {
      if (group.length === 1 || isShared(error)) for (const { reject } of group) reject(error);
      else for (const one of group) await settle([one]);
    }
  }

  const isDue = () => waiting.length >= maxItems || !mayWait();

  function due(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        look = () => {};
        resolve();
      };
      const timer = setTimeout(go, waitMs);
      look = () => {
        if (isDue()) go();
      };
    });
  }

  async function run(): Promise<void> {
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      if (!isDue()) await due();
      const group = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      underWay = group.length;
      await settle(group);
      underWay = 0;
    }
    busy = false;
  }

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        look();
        if (busy) return;
        busy = true;
        void run();
      }),
    get size() {
      return waiting.length + underWay;
    },
    hurry: () => look(),
  };
}
