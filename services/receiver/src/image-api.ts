import type { Lifecycle } from '@kube-face/shared-lib/lifecycle';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';
import type { ImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import type { StartSpan } from '@kube-face/shared-lib/tracing';
import { newBatchToken } from './batch-token.ts';
import type { Config } from './config.ts';
import { createCorrectFace } from './correct-face.ts';
import { createEraseImage } from './erase-image.ts';
import { createGroupCommit } from './group-commit.ts';
import { createHealthClient } from './health-client.ts';
import { createImageReader } from './image-reader.ts';
import { imageRoutes } from './image-routes.ts';
import { createImageWriter } from './image-writer.ts';
import { countPosted } from './posted-count.ts';
import type { QueuedStamps } from './queued-stamps.ts';
import type { ReceiverMetrics } from './receiver-metrics.ts';
import { createRetryImages } from './retry-images.ts';
import type { Route } from './route.ts';
import { createUploadImages } from './upload-images.ts';

export type ImageApiParts = {
  config: Pick<Config, 'grpcAddress' | 'grpcTls' | 'unknownPeople'>;
  log: Logger;
  lifecycle: Pick<Lifecycle, 'onClose'>;
  tracer: StartSpan;
  database: Database;
  publisher: Pick<ImagePublisher, 'publish'>;
  stamps: Pick<QueuedStamps, 'add'>;
  metrics: Pick<ReceiverMetrics, 'group' | 'photos'>;
};

/** Puts together what is about photos; what it opens closes with the lifecycle. */
export function createImageApi(parts: ImageApiParts): Route[] {
  const { config, log, lifecycle, tracer, database, publisher, stamps, metrics } = parts;
  const { publish } = publisher;
  const commits = createGroupCommit({
    writer: createImageWriter({ database }),
    publish,
    onQueued: stamps.add,
    newToken: () => newBatchToken(Date.now()),
    tracer,
    log,
    onGroup: metrics.group,
  });
  lifecycle.onClose('group commit', () => commits.idle());
  const health = createHealthClient(config.grpcAddress, config.grpcTls);
  lifecycle.onClose('health client', () => health.close());
  const onPosted = countPosted(metrics.photos);

  return imageRoutes({
    commits,
    reader: createImageReader({ database, isRecognitionReady: health.isReady }),
    upload: createUploadImages({ commits, folder: config.unknownPeople, onPosted }),
    erase: createEraseImage({ database, folder: config.unknownPeople }),
    retry: createRetryImages({ database, publish, onQueued: stamps.add, log }),
    correct: createCorrectFace(database),
    onPosted,
  });
}
