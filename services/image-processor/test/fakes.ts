import type { FaceMessage, IdentifyResponseMessage } from '@kube-face/shared-lib/face-messages';
import type { ImageStatus, Outcome } from '@kube-face/shared-lib/image-status';
import { silent } from '@kube-face/shared-lib/logger';
import { Registry } from '@kube-face/shared-lib/metrics';
import { untraced } from '@kube-face/shared-lib/tracing';
import type { PhotoAnswer } from '../src/face-client.ts';
import type { Claim, Result } from '../src/image-store.ts';
import { createMetrics } from '../src/metrics.ts';
import { ClosingError, createProcessImage, type Dependencies } from '../src/process-image.ts';

/** A photo's row, as far as decisions go. */
export type FakeRow = {
  status: ImageStatus;
  attempts: number;
  outcome?: Outcome | undefined;
  detail?: string | undefined;
  person?: number;
  retryMs?: number | undefined;
  heldMs?: number;
};

export function fakeFace(candidates: [imageName: string, distance: number][], threshold = 0.5): FaceMessage {
  const [nearest] = candidates;
  return {
    box: { x: 0, y: 0, width: 10, height: 10 },
    score: 0.9,
    imageName: nearest && nearest[1] <= threshold ? nearest[0] : '',
    distance: nearest?.[1] ?? 0,
    candidates: candidates.map(([imageName, distance]) => ({ imageName, distance })),
    descriptor: Buffer.alloc(8),
  };
}

export function fakeAnswer(faces: FaceMessage[]): { kind: 'recognised' } & IdentifyResponseMessage {
  const imageName = faces.find((face) => face.imageName !== '')?.imageName ?? 'not_found';
  const outcome = faces.length === 0 ? 'no_face' : imageName === 'not_found' ? 'unknown' : 'match';
  return { kind: 'recognised', imageName, outcome, faces, model: 'fake', galleryVersion: 7 };
}

/** What the original's service says. */
export function originalAnswer(imageName: string): PhotoAnswer {
  return { kind: 'recognised', imageName, outcome: '', faces: [], model: '', galleryVersion: 0 };
}

/** A processor over one photo, id 7, whose row is `row`; `answers` are what face recognition says, one after the other. */
export function fakeProcessor(answers: (PhotoAnswer | Error)[], options: { row?: Partial<FakeRow>; tellsBegan?: boolean } = {}) {
  const row: FakeRow = { status: 0, attempts: 0, ...options.row };
  const owners = new Map([
    ['hannibal_1.jpg', { id: 3, name: 'Hannibal' }],
    ['john_1.jpg', { id: 5, name: 'John' }],
  ]);
  const stopping = new AbortController();
  const cancelling = new AbortController();
  const world = {
    row,
    isDatabaseAway: false,
    leaseIsLost: false,
    databaseAwaySeen: 0,
    limitFelt: 0,
    asked: 0,
    close: () => stopping.abort(new ClosingError('closing')),
  };

  function failWhenAway() {
    if (world.isDatabaseAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  }

  const dependencies: Dependencies = {
    async claim(id): Promise<Claim> {
      failWhenAway();
      if (id !== 7 || row.status === 1) return { kind: 'settled' };
      if (row.heldMs !== undefined) return { kind: 'held', waitMs: row.heldMs };
      if (row.status === 2 && row.retryMs === undefined) return { kind: 'settled' };
      row.status = 3;
      return { kind: 'won', photo: { id, path: 'a.jpg', attempts: row.attempts, traceParent: undefined } };
    },
    async write(result: Result) {
      failWhenAway();
      if (world.leaseIsLost) return false;
      if (result.kind === 'put back') Object.assign(row, { status: 0, detail: result.detail });
      else {
        row.attempts += 1;
        if (result.kind === 'processed') {
          const { outcome, person, detail } = result.reading;
          Object.assign(row, { status: 1, outcome, person, detail });
        } else Object.assign(row, { status: 2, outcome: result.outcome, detail: result.detail, retryMs: result.retryMs });
      }
      return true;
    },
    async ownersOf(names) {
      failWhenAway();
      return new Map(
        names.flatMap((name) => (owners.has(name) ? [[name, owners.get(name) as { id: number; name: string }]] : [])),
      );
    },
    async identify() {
      const answer = answers[world.asked];
      world.asked += 1;
      if (answer instanceof Error) throw answer;
      if (answer === undefined) throw new Error('nothing more was scripted');
      return answer;
    },
    service: { known: async () => {}, threshold: () => 0.5, tellsBegan: options.tellsBegan ?? true },
    breaker: { run: (call) => call() },
    slots: {
      async acquire(signal) {
        if (signal.aborted) throw signal.reason;
        return () => {};
      },
      succeeded() {},
      exhausted: () => {
        world.limitFelt += 1;
      },
    },
    retry: { baseMs: 1_000, maxMs: 4_000, maxAttempts: 4 },
    stopping: stopping.signal,
    cancelling: cancelling.signal,
    onDatabaseAway: () => {
      world.databaseAwaySeen += 1;
    },
    tracer: untraced,
    metrics: createMetrics(new Registry()),
    log: silent,
  };
  return { ...dependencies, world, processImage: createProcessImage(dependencies) };
}
