import { setTimeout as delay } from 'node:timers/promises';

/** What we read of a photo in the receiver's answers. */
export type PhotoEntry = {
  id: number;
  path: string;
  status: string;
  outcome: string | null;
  person: { name: string } | null;
  faces: { person: { name: string } | null }[];
};

type Options = { url: string; token?: string | undefined; signal?: AbortSignal };

/** The receiver's API, as far as the samples need it. An answer that is none of the expected ones is an error. */
export function createReceiverClient({ url, token, signal }: Options) {
  const headers = { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) };

  async function ask<T>(method: string, path: string, expected: readonly number[], body?: string | FormData): Promise<T> {
    const response = await fetch(new URL(path, url), { method, headers, body: body ?? null, signal: signal ?? null });
    const text = await response.text();
    if (!expected.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }

  return {
    /** Enrols a person, or adds the photos that it does not have yet. */
    async enrol(name: string, photos: readonly { fileName: string; bytes: Buffer }[]): Promise<void> {
      const form = new FormData();
      form.set('name', name);
      for (const { fileName, bytes } of photos)
        form.append('image', new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), fileName);
      await ask('POST', '/people', [200, 201], form);
    },
    /** Posts the paths; ids come back in their order, those of paths that were posted before as well. */
    async post(paths: readonly string[]): Promise<number[]> {
      const body = JSON.stringify({ paths: paths.map((path) => ({ path })) });
      const { images } = await ask<{ images: { id: number }[] }>('POST', '/images/post', [200, 207, 409], body);
      return images.map(({ id }) => id);
    },
    photo: (id: number) => ask<PhotoEntry>('GET', `/images/${id}`, [200]),
    /** The photo once recognition is done with it, asked for again and again. */
    async processed(id: number, withinMs: number): Promise<PhotoEntry> {
      const end = Date.now() + withinMs;
      for (;;) {
        const photo = await ask<PhotoEntry>('GET', `/images/${id}`, [200]);
        if (photo.status === 'processed' || photo.status === 'failed' || Date.now() > end) return photo;
        await delay(100, undefined, { signal });
      }
    },
  };
}
