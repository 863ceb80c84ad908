import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { RequestHandler } from 'express';

// Beside src and dist alike.
const FOLDER = new URL('../public/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

export type Assets = {
  /** The address of a file, which changes with the contents of any of them. */
  address(name: string): string;
  /** Serves `/assets/{version}/{name}`. */
  serve: RequestHandler<{ version: string; name: string }>;
};

/** The stylesheet, the scripts and the icon, read once. */
export function loadAssets(): Assets {
  const files = new Map<string, { type: string; body: Buffer }>();
  const hash = createHash('sha256');
  for (const name of readdirSync(FOLDER).toSorted()) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (!type) continue;
    const body = readFileSync(new URL(name, FOLDER));
    files.set(name, { type, body });
    hash.update(name).update(body);
  }
  const version = hash.digest('hex').slice(0, 12);

  return {
    address: (name) => `/assets/${version}/${name}`,
    serve(request, response, next) {
      const file = files.get(request.params.name);
      if (!file) return next();
      // While a new version rolls out, its page may ask an old pod for a file, and that answer must not stay.
      const isOurs = request.params.version === version;
      response.setHeader('cache-control', isOurs ? 'public, max-age=31536000, immutable' : 'no-store');
      response.type(file.type).send(file.body);
    },
  };
}
