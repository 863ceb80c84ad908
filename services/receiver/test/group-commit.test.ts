import { silent } from '@kube-face/shared-lib/logger';
import { expect, test, vi } from 'vitest';
import { createGroupCommit } from '../src/group-commit.ts';
import type { NewImage, SavedImage } from '../src/image-writer.ts';

/** A writer whose every save waits until it is let go, and answers ids in order. */
function world({ publish = async () => {} }: { publish?: (ids: readonly number[]) => Promise<void> } = {}) {
  const groups: { paths: string[]; token: string; end: (error?: Error) => void }[] = [];
  const existing = new Map<string, number>();
  const queued: number[] = [];
  let isStuck = true;
  let lastId = 0;
  let tokens = 0;

  async function save(images: readonly NewImage[], token: Buffer): Promise<SavedImage[]> {
    await new Promise<void>((resolve, reject) => {
      const end = (error?: Error) => (error ? reject(error) : resolve());
      groups.push({ paths: images.map(({ path }) => path), token: token.toString(), end });
      if (!isStuck) end();
    });
    return images.map(({ path }): SavedImage => {
      const id = existing.get(path);
      if (id !== undefined) return { id, isNew: false, path, status: 0, isQueued: true };
      lastId += 1;
      return { id: lastId, isNew: true };
    });
  }

  const commits = createGroupCommit({
    writer: { save },
    publish,
    onQueued: ({ count }) => void queued.push(count),
    newToken: () => Buffer.from(`token ${++tokens}`),
    log: silent,
  });
  return {
    commits,
    groups,
    existing,
    queued,
    post: (...paths: string[]) => commits.submit(paths.map((path) => ({ path }))),
    began: (count: number) => vi.waitFor(() => expect(groups).toHaveLength(count)),
    release: () => {
      isStuck = false;
      for (const { end } of groups) end();
    },
  };
}

test('starts at once when idle', async () => {
  const { post, began, release, groups } = world();
  const answer = post('a');
  await began(1);
  release();
  expect(await answer).toEqual([{ id: 1, isNew: true, isQueued: true }]);
  expect(groups[0]?.paths).toEqual(['a']);
});

test('commits together what arrives while the group before is written', async () => {
  const { post, began, release, groups, queued } = world();
  const first = post('a');
  await began(1);
  const others = [post('b'), post('c', 'd'), post('e')];
  groups[0]?.end();
  await began(2);
  release();
  expect((await Promise.all([first, ...others])).map((images) => images.map(({ id }) => id))).toEqual([[1], [2], [3, 4], [5]]);
  expect(groups.map(({ paths }) => paths)).toEqual([['a'], ['b', 'c', 'd', 'e']]);
  expect(queued).toEqual([1, 4]);
});

test('two who bring the same path at once get one row', async () => {
  const { post, began, release, groups } = world();
  const both = Promise.all([post('a'), post('a', 'b')]);
  await began(1);
  release();
  expect(await both).toEqual([
    [{ id: 1, isNew: true, isQueued: true }],
    [
      { id: 1, isNew: false, path: 'a', status: 0, isQueued: true },
      { id: 2, isNew: true, isQueued: true },
    ],
  ]);
  expect(groups[0]?.paths).toEqual(['a', 'b']);
});

test('a group that fails is saved one by one, so that nobody fails for a neighbour', async () => {
  const { post, began, release, groups } = world();
  const answers = Promise.allSettled([post('a'), post('bad'), post('c')]);
  await began(1);
  groups[0]?.end(new Error('one of them'));
  await began(4);
  groups.find(({ paths }) => paths.length === 1 && paths[0] === 'bad')?.end(new Error('bad'));
  release();
  expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a database that is away fails the group without asking again for each', async () => {
  const { post, began, groups } = world();
  const answers = Promise.allSettled([post('a'), post('b')]);
  await began(1);
  groups[0]?.end(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(groups).toHaveLength(1);
});

test('saved photos that nsqd does not acknowledge are not queued', async () => {
  const { post, release, queued } = world({ publish: () => Promise.reject(new Error('away')) });
  release();
  expect(await post('a')).toEqual([{ id: 1, isNew: true, isQueued: false }]);
  expect(queued).toEqual([]);
});

test('what was there before is not queued again', async () => {
  const published: number[] = [];
  const { post, release, existing } = world({ publish: async (ids) => void published.push(...ids) });
  existing.set('a', 9);
  release();
  expect(await post('a')).toEqual([{ id: 9, isNew: false, path: 'a', status: 0, isQueued: true }]);
  expect(published).toEqual([]);
});

test.each([
  ['a slow group', ['slow'], 50],
  ['a large group', Array.from({ length: 1_000 }, (_, index) => `large ${index}`), 1],
])('who comes after %s does not wait for it', async (_, first, afterMs) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { post, groups } = world();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    void post(...first);
    await turn();
    const quick = post('quick');
    await turn();
    expect(groups.map(({ paths }) => paths)).toEqual([first]);
    await vi.advanceTimersByTimeAsync(afterMs);
    expect(groups.map(({ paths }) => paths)).toEqual([first, ['quick']]);
    groups[1]?.end();
    expect(await quick).toMatchObject([{ isNew: true }]);
  } finally {
    vi.useRealTimers();
  }
});

test('a submission with a token of its own is a group of its own', async () => {
  const { commits, began, release, groups, post } = world();
  const all = Promise.all([post('a'), commits.submit([{ path: 'b' }], Buffer.from('mine')), post('c')]);
  await began(1);
  release();
  await all;
  expect(groups.map(({ paths, token }) => [paths, token])).toEqual([
    [['a'], 'token 1'],
    [['b'], 'mine'],
    [['c'], 'token 2'],
  ]);
});

test('is idle once everything was answered', async () => {
  const { commits, post, release } = world();
  let answered = 0;
  void post('a').then(() => answered++);
  void post('b').then(() => answered++);
  release();
  await commits.idle();
  expect(answered).toBe(2);
});
