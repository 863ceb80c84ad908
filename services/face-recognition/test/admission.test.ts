import { expect, test } from 'vitest';
import { BusyError, createAdmission } from '../src/admission.ts';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function job() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { run: () => promise, finish: resolve };
}

test('lets in as many as there are slots, then first come, first served', async () => {
  const admission = createAdmission({ slots: 1, queueLimit: 2 });
  const order: string[] = [];
  const first = job();
  const all = [
    admission.run(never, first.run),
    admission.run(never, async () => void order.push('second')),
    admission.run(never, async () => void order.push('third')),
  ];
  expect(admission.waiting).toBe(2);
  expect(order).toEqual([]);
  first.finish();
  await Promise.all(all);
  expect(order).toEqual(['second', 'third']);
  expect(admission.waiting).toBe(0);
});

test('refuses the one too many, and takes it when there is room again', async () => {
  const admission = createAdmission({ slots: 1, queueLimit: 0 });
  const first = job();
  const running = admission.run(never, first.run);
  await expect(admission.run(never, async () => 1)).rejects.toThrow(BusyError);
  first.finish();
  await running;
  expect(await admission.run(never, async () => 2)).toBe(2);
});

test('a photo that is given up leaves the queue', async () => {
  const admission = createAdmission({ slots: 1, queueLimit: 1 });
  const first = job();
  const running = admission.run(never, first.run);
  const given = new AbortController();
  const waiting = admission.run(given.signal, async () => 'ran');
  given.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  expect(admission.waiting).toBe(0);
  const next = admission.run(never, async () => 'next');
  first.finish();
  await running;
  expect(await next).toBe('next');
});

test('work that fails gives its slot back', async () => {
  const admission = createAdmission({ slots: 1, queueLimit: 0 });
  await expect(admission.run(never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await admission.run(never, async () => 'ran')).toBe('ran');
});
