import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from './logger.ts';

type Attributes = Record<string, string | number | boolean>;

/** One step of a trace. It carries its context as text, since a photo's trace travels in rows and in gRPC metadata. */
export type Span = {
  /** W3C trace context (`00-<trace>-<span>-<flags>`), or undefined where nothing is traced. */
  readonly traceparent: string | undefined;
  /** For the log lines of this step. */
  readonly traceId: string | undefined;
  setAttributes(attributes: Attributes): void;
};

export type SpanOptions = {
  /**
   * Context of the step above, a `traceparent`. Without one it is the step that is under way here; a server's and a consumer's
   * step takes up something from outside and begins a trace of its own then.
   */
  parent?: string | undefined;
  kind?: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  attributes?: Attributes;
};

/** A step that ends when it is told to. */
export type OpenSpan = Span & { end(error?: unknown): void };

export type Tracer = {
  /** Runs `work` as a step of a trace. A throw marks the step as failed, and goes on. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => T | Promise<T>): Promise<T>;
  /** The same for what is no call of a function, such as a stream. */
  begin(name: string, options: SpanOptions): OpenSpan;
  /** Sends what is left. */
  close(): Promise<void>;
};

export type StartSpan = Pick<Tracer, 'span'>;

// A collector that is away is tried for so long, also at the end of a process.
const SEND_MS = 3_000;
const TELL_EVERY_MS = 60_000;

const NO_SPAN: OpenSpan = { traceparent: undefined, traceId: undefined, setAttributes() {}, end() {} };

/** Traces nothing. */
export const untraced: Tracer = {
  async span(_name, _options, work) {
    return await work(NO_SPAN);
  },
  begin: () => NO_SPAN,
  async close() {},
};

/** The parts of a `traceparent` of version 00, or undefined where the text is none: it may come from a stranger's request. */
export function parseTraceparent(text: string | undefined): { traceId: string; spanId: string; flags: number } | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Does a piece of work once, as a step of every trace that waits for it: of `parents`, texts as in `Span.traceparent`. */
export async function spanOfMany<T>(
  { span }: StartSpan,
  parents: ReadonlySet<string>,
  name: string,
  options: Omit<SpanOptions, 'parent'>,
  work: () => Promise<T>,
): Promise<T> {
  if (parents.size === 0) return await work();
  const result = work();
  await Promise.allSettled([...parents].map((parent) => span(name, { ...options, parent }, () => result)));
  return await result;
}

/**
 * Sends the spans of `service` to an OpenTelemetry collector (OTLP over HTTP, `endpoint` as in OTEL_EXPORTER_OTLP_ENDPOINT).
 * Without an endpoint nothing of OpenTelemetry is loaded.
 */
export async function startTracing({
  service,
  endpoint,
  log,
}: {
  service: string;
  endpoint: string | undefined;
  log: Logger;
}): Promise<Tracer> {
  if (endpoint === undefined) return untraced;
  const [
    { DiagLogLevel, diag, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace },
    { BatchSpanProcessor, TracerProvider },
    exporter,
    { resourceFromAttributes },
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `kube-face-${service}` }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new exporter.OTLPTraceExporter({ url, timeoutMillis: SEND_MS }) })],
  });
  const tracer = provider.getTracer('kube-face');
  const kinds = {
    server: SpanKind.SERVER,
    client: SpanKind.CLIENT,
    producer: SpanKind.PRODUCER,
    consumer: SpanKind.CONSUMER,
    internal: SpanKind.INTERNAL,
  };
  const underWay = new AsyncLocalStorage<string | undefined>();
  diag.setLogger(faultsTo(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  log.info({ url }, 'sending traces');

  function begin(name: string, { parent, kind = 'internal', attributes = {} }: SpanOptions): OpenSpan {
    const isFromOutside = kind === 'server' || kind === 'consumer';
    const above = parseTraceparent(parent ?? (isFromOutside ? undefined : underWay.getStore()));
    const context = above
      ? trace.setSpanContext(ROOT_CONTEXT, {
          traceId: above.traceId,
          spanId: above.spanId,
          traceFlags: above.flags,
          isRemote: true,
        })
      : ROOT_CONTEXT;
    const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, context);
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
      traceId,
      setAttributes: (more) => void span.setAttributes(more),
      end(error) {
        if (error !== undefined) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
        }
        span.end();
      },
    };
  }

  return {
    begin,
    async span(name, options, work) {
      const step = begin(name, options);
      try {
        const result = await underWay.run(step.traceparent, () => work(step));
        step.end();
        return result;
      } catch (error) {
        step.end(error ?? 'failed');
        throw error;
      }
    },
    async close() {
      await provider.shutdown().catch((error: unknown) => log.warn({ error }, 'the last traces did not arrive'));
    },
  };
}

/** What OpenTelemetry says of its own faults, once a minute: a collector that is away would fill the log. */
function faultsTo(log: Logger) {
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (reason: string) => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    log.warn({ reason: messageIn(reason) }, 'traces do not arrive');
  };
  const ignore = () => {};
  return { error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore };
}

/** It writes an error as JSON. */
function messageIn(reason: string): string {
  try {
    return String(JSON.parse(reason).message);
  } catch {
    return reason;
  }
}
