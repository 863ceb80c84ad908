import { say, step } from '../lib/progress.mjs';
import { createReceiverClient, type PhotoEntry } from './receiver-client.ts';
import { copySample, photosOf } from './sample-files.ts';
import { PEOPLE, PHOTOS } from './samples.ts';

const RECOGNISED_WITHIN_MS = 60_000;

type Options = { receiverUrl: string; token: string | undefined; unknownPeople: string; signal: AbortSignal };

/** Shows the system at work on the sample photos. Where that fails, it says so: the system runs all the same. */
export async function runDemo(options: Options): Promise<void> {
  try {
    await enrolAndPost(options);
  } catch (error) {
    options.signal.throwIfAborted();
    say(`the samples are not all there: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Done again it changes nothing: the receiver knows what it has. */
async function enrolAndPost({ receiverUrl, token, unknownPeople, signal }: Options): Promise<void> {
  const receiver = createReceiverClient({ url: receiverUrl, token, signal });
  await step('enrolling sample people', async () => {
    for (const { name } of PEOPLE) await receiver.enrol(name, await photosOf(name));
  });
  const photos = await step('recognising sample photos', async () => {
    for (const photo of PHOTOS) await copySample(photo, unknownPeople);
    const ids = await receiver.post(PHOTOS);
    return Promise.all(ids.map((id) => receiver.processed(id, RECOGNISED_WITHIN_MS)));
  });
  for (const photo of photos) say(`  ${photo.path}: ${inWords(photo)}`);
}

function inWords({ status, outcome, person, faces }: PhotoEntry): string {
  if (status !== 'processed') return outcome ?? status;
  if (person === null) return `${outcome}, ${count(faces.length, 'face')}`;
  const names = new Set(faces.flatMap((face) => face.person?.name ?? []));
  return `${[...names].join(', ')}; ${count(faces.filter((face) => face.person === null).length, 'stranger')}`;
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
