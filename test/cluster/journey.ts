import sharp from 'sharp';
import { cropped, sampleFile } from '../../scripts/demo/sample-files.ts';
import { PEOPLE } from '../../scripts/demo/samples.ts';
import type { Context, Step } from './context.ts';
import { until } from './kubectl.ts';

type Photo = { id: number; status: string; outcome: string | null; person: { name: string } | null; faces: unknown[] };

async function send<T>(url: string, form: FormData, expected: number[]): Promise<T> {
  const response = await fetch(url, { method: 'POST', body: form, headers: { accept: 'application/json' } });
  const text = await response.text();
  if (!expected.includes(response.status)) throw new Error(`${url}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

const jpeg = (bytes: Buffer) => new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' });
const reduced = (photo: string) => sharp(sampleFile(photo)).resize(800).jpeg({ quality: 85 }).toBuffer();

async function enrolEverybody({ receiverUrl }: Context): Promise<number> {
  let photos = 0;
  for (const { name, crops } of PEOPLE) {
    const form = new FormData();
    form.set('name', name);
    for (const [index, crop] of crops.entries())
      form.append('image', jpeg(await cropped(crop)), `${name.toLowerCase()}_${index + 1}.jpg`);
    await send(`${receiverUrl}/people`, form, [200, 201]);
    photos += crops.length;
  }
  return photos;
}

async function recognise({ receiverUrl }: Context, photo: string): Promise<Photo> {
  const form = new FormData();
  form.append('image', jpeg(await reduced(photo)), photo);
  const { images } = await send<{ images: { id: number }[] }>(`${receiverUrl}/image/upload`, form, [200]);
  return until(
    `a result for ${photo}`,
    30_000,
    async () => {
      const response = await fetch(`${receiverUrl}/images/${images[0]?.id}`);
      const entry = (await response.json()) as Photo;
      return (entry.status === 'processed' || entry.status === 'failed') && entry;
    },
    20,
  );
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
