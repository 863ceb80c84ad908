import sharp from 'sharp';
import { createReceiverClient, type PhotoEntry } from '../../scripts/demo/receiver-client.ts';
import { photosOf, sampleFile } from '../../scripts/demo/sample-files.ts';
import { PEOPLE } from '../../scripts/demo/samples.ts';
import type { Context, Step } from './context.ts';

const RECOGNISED_MS = 30_000;
const jpeg = (bytes: Buffer) => new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' });
const reduced = (photo: string) => sharp(sampleFile(photo)).resize(800).jpeg({ quality: 85 }).toBuffer();

async function enrolEverybody({ receiverUrl }: Context): Promise<number> {
  const receiver = createReceiverClient({ url: receiverUrl });
  for (const { name } of PEOPLE) await receiver.enrol(name, await photosOf(name));
  return PEOPLE.reduce((sum, { crops }) => sum + crops.length, 0);
}

async function recognise({ receiverUrl }: Context, photo: string): Promise<PhotoEntry> {
  const form = new FormData();
  form.append('image', jpeg(await reduced(photo)), photo);
  const response = await fetch(`${receiverUrl}/image/upload`, { method: 'POST', body: form });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${photo} was not taken: ${response.status} ${text.slice(0, 300)}`);
  const { images } = JSON.parse(text) as { images: [{ id: number }] };
  return createReceiverClient({ url: receiverUrl }).processed(images[0].id, RECOGNISED_MS);
}

export const journeySteps: Step[] = [
  {
    name: 'journey: enrol people, upload photos, see who it is on the page',
    inShort: true,
    async run(context) {
      const enrolled = await enrolEverybody(context);
      const startedMs = Date.now();
      const known = await recognise(context, 'sample3.jpg');
      const ms = Date.now() - startedMs;
      if (known.outcome !== 'match' || known.person?.name !== 'Alice')
        throw new Error(`sample3.jpg: ${JSON.stringify(known).slice(0, 300)}`);
      const stranger = await recognise(context, 'sample2.jpg');
      if (stranger.outcome !== 'unknown' || stranger.person !== null)
        throw new Error(`sample2.jpg: ${JSON.stringify(stranger).slice(0, 300)}`);
      const page = await (await fetch(`${context.frontendUrl}/`)).text();
      if (!page.includes('Alice')) throw new Error('the page does not name Alice');
      const picture = await fetch(`${context.frontendUrl}/pictures/${known.id}/thumb`);
      if (picture.status !== 200 || !picture.headers.get('content-type')?.startsWith('image/'))
        throw new Error(`no picture: ${picture.status}`);
      return `${enrolled} known photos; ${known.faces.length} faces on the first photo, its person after ${ms} ms; a stranger stays one`;
    },
  },
];
