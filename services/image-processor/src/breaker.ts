import { backoffMs } from '@kube-face/shared-lib/backoff';
import type { Logger } from '@kube-face/shared-lib/logger';
import CircuitBreaker from 'opossum';

/** No call went out: the service has failed too often, and has not answered a ping since. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';

  constructor() {
    super('the circuit to face recognition is open');
  }
}

export type Breaker = {
  /** Runs `call`, or throws CircuitOpenError without running it. */
  run<T>(call: () => Promise<T>): Promise<T>;
  readonly isOpen: boolean;
  /** Stops the pings. */
  close(): void;
};

export type BreakerOptions = {
  maxFailures?: number;
  breakMs: number;
  breakMaxMs: number;
  /** Whether an error says that the service failed, and not the photo or ourselves. */
  isFailure: (error: unknown) => boolean;
  /** The ping; must answer within a deadline of its own. */
  isReady: () => Promise<boolean>;
  onChange?: (isOpen: boolean) => void;
  log: Logger;
};

const NEVER_MS = 2 ** 31 - 1; // the longest time that a timer takes

/**
 * Opens after `maxFailures` failed calls in a row, then pings on its own timer, each break twice as long as the one before, and
 * closes on the first ping that finds the service ready. opossum would open on a percentage of failures and send a real call
 * when half open; both are kept from happening, and it is driven by `open()` and `close()`.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const { maxFailures = 5, breakMs, breakMaxMs, isFailure, isReady, onChange = () => {}, log } = options;
  const circuit = new CircuitBreaker<[() => Promise<unknown>], unknown>((call) => call(), {
    name: 'face recognition',
    timeout: false,
    volumeThreshold: Number.MAX_SAFE_INTEGER,
    resetTimeout: NEVER_MS,
    rollingPercentilesEnabled: false,
  });
  let failures = 0;
  let breaks = 0;
  let period = 0; // calls that began before the circuit last closed say nothing about now
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function schedulePing() {
    breaks += 1;
    const waitMs = backoffMs(breaks, { baseMs: breakMs, maxMs: breakMaxMs });
    log.warn({ waitMs }, breaks === 1 ? 'circuit opened' : 'face recognition is not ready: circuit stays open');
    timer = setTimeout(() => void ping(), waitMs);
  }

  async function ping() {
    const ready = await isReady().catch(() => false);
    if (isClosed) return;
    if (!ready) return schedulePing();
    failures = 0;
    breaks = 0;
    period += 1;
    circuit.close();
    log.info('circuit closed');
    onChange(false);
  }

  function countFailure() {
    failures += 1;
    if (failures < maxFailures || circuit.opened || isClosed) return;
    circuit.open();
    schedulePing();
    onChange(true);
  }

  return {
    async run<T>(call: () => Promise<T>): Promise<T> {
      if (circuit.opened) throw new CircuitOpenError();
      const mine = period;
      try {
        const result = (await circuit.fire(call)) as T;
        if (mine === period) failures = 0;
        return result;
      } catch (error) {
        if (mine === period && isFailure(error)) countFailure();
        else if (mine === period) failures = 0;
        throw error;
      }
    },
    get isOpen() {
      return circuit.opened;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      circuit.shutdown();
    },
  };
}
