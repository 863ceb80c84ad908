import type { ReceiverMetrics } from './receiver-metrics.ts';
import type { PostedImage } from './submit-images.ts';

/** Counts posted photos by what became of them. */
export function countPosted(count: ReceiverMetrics['photos']) {
  return (images: readonly PostedImage[]): void => {
    let [queued, notQueued, duplicate] = [0, 0, 0];
    for (const image of images) {
      if (image.duplicate || image.error?.code === 'already_posted') duplicate += 1;
      else if (image.queued) queued += 1;
      else if (!image.error) notQueued += 1;
    }
    count('queued', queued);
    count('not_queued', notQueued);
    count('duplicate', duplicate);
    count('refused', images.length - queued - notQueued - duplicate);
  };
}
