import type { Logger } from './logger.ts';

export type Lifecycle = {
  /** Registers what must be closed. What was registered last is closed first. */
  onClose(name: string, close: () => unknown): void;
  /** Closes everything once, in order; later calls get the same promise. Resolves to whether all of it closed in time. */
  close(): Promise<boolean>;
  /** True from the first `close()` on: readiness turns false before anything stops. */
  readonly isClosing: boolean;
  /** Closes on SIGTERM and SIGINT and then exits: 0, or 1 where something did not close within the grace. */
  closeOnSignals(target: SignalTarget): void;
};

type SignalTarget = {
  once(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): unknown;
};

/** Ordered, awaited, bounded shutdown. A closer that throws is logged and does not keep the others from closing. */
export function createLifecycle({ log, graceMs }: { log: Logger; graceMs: number }): Lifecycle {
  const closers: { name: string; close: () => unknown }[] = [];
  let closing: Promise<boolean> | undefined;

  async function closeAll(): Promise<boolean> {
    let clean = true;
    for (const { name, close } of closers.toReversed()) {
      try {
        await close();
        log.debug({ name }, 'closed');
      } catch (error) {
        clean = false;
        log.error({ name, error }, 'could not close');
      }
    }
    return clean;
  }

  async function closeWithinGrace(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => {
        log.error({ graceMs }, 'did not close in time');
        resolve(false);
      }, graceMs);
    });
    const clean = await Promise.race([closeAll(), late]);
    clearTimeout(timer);
    return clean;
  }

  function close(): Promise<boolean> {
    closing ??= closeWithinGrace();
    return closing;
  }

  return {
    onClose: (name, close) => void closers.push({ name, close }),
    close,
    get isClosing() {
      return closing !== undefined;
    },
    closeOnSignals(target) {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        target.once(signal, () => {
          log.info({ signal }, 'closing');
          void close().then((clean) => target.exit(clean ? 0 : 1));
        });
      }
    },
  };
}
