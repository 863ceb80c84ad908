import { Counter, Gauge, Histogram, LATENCY_BUCKETS, METRIC_PREFIX, type Registry } from '@kube-face/shared-lib/metrics';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    photos: new Counter({
      name: `${METRIC_PREFIX}photos_total`,
      help: 'Photos whose result was written, by outcome; a failure that is tried again counts each time.',
      labelNames: ['outcome'],
      registers,
    }),
    putBack: new Counter({
      name: `${METRIC_PREFIX}photos_put_back_total`,
      help: 'Photos that went back to pending without an attempt, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    retries: new Counter({
      name: `${METRIC_PREFIX}photo_retries_total`,
      help: 'Attempts that failed for a cause that may pass, with another to come.',
      labelNames: ['outcome'],
      registers,
    }),
    claimsLost: new Counter({
      name: `${METRIC_PREFIX}claims_lost_total`,
      help: 'Messages whose photo another processor held, or had finished.',
      labelNames: ['found'],
      registers,
    }),
    leasesLost: new Counter({
      name: `${METRIC_PREFIX}leases_lost_total`,
      help: 'Results that were thrown away because the lease had ended.',
      registers,
    }),
    unowned: new Counter({
      name: `${METRIC_PREFIX}unowned_known_photos_total`,
      help: 'Answers that named a known photo which no person owns.',
      registers,
    }),
    queueSeconds: new Histogram({
      name: `${METRIC_PREFIX}photo_queue_seconds`,
      help: 'From nsqd taking the id to the processor getting it.',
      buckets: [...LATENCY_BUCKETS, 60, 300, 1_800, 7_200],
      registers,
    }),
    stepSeconds: new Histogram({
      name: `${METRIC_PREFIX}photo_step_seconds`,
      help: 'A photo in the processor: claim, wait (for a call to be allowed), call, write.',
      labelNames: ['step'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    circuitOpen: new Gauge({
      name: `${METRIC_PREFIX}circuit_open`,
      help: '1 while no call goes out to face recognition.',
      registers,
    }),
    calls: new Gauge({ name: `${METRIC_PREFIX}calls_in_flight`, help: 'Calls to face recognition under way.', registers }),
    callLimit: new Gauge({ name: `${METRIC_PREFIX}calls_limit`, help: 'Calls that may be under way.', registers }),
    messages: new Gauge({ name: `${METRIC_PREFIX}messages_in_flight`, help: 'Messages taken and not yet answered.', registers }),
    nsqds: new Gauge({ name: `${METRIC_PREFIX}nsqd_connections`, help: 'How many nsqds ids are taken from.', registers }),
  };
}

/** Times the steps of photos, whichever way a step ends. */
export function timeSteps({ stepSeconds }: Pick<Metrics, 'stepSeconds'>) {
  return async function timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    const end = stepSeconds.startTimer({ step });
    try {
      return await work();
    } finally {
      end();
    }
  };
}
