import type { IncomingMessage } from 'node:http';
import { ApiError, invalid } from './api-error.ts';

export const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 32; // what is asked for is 3 deep

// A client that stops sending is given up; one that sends on after it was told "too large" is heard out up to here, so that
// it gets to read the answer.
const IDLE_MS = 15_000;
const MAX_DISCARDED_BYTES = 8 * MAX_BODY_BYTES;

export function tooLarge(message: string): ApiError {
  return new ApiError(413, 'too_large', message);
}

/** Lets the client send the rest of a body that nobody reads. */
export function discardBody(request: IncomingMessage): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_DISCARDED_BYTES) request.destroy();
  });
  request.on('error', () => {}); // nobody waits for it any more
}

/** The whole body. Throws 413 above 16 MB, 408 where the client stops sending. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;

    function finish(error?: Error): void {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      if (error) {
        discardBody(request);
        reject(error);
      } else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    }
    function onData(chunk: Buffer): void {
      bytes += chunk.length;
      timer.refresh();
      if (bytes > MAX_BODY_BYTES) finish(tooLarge(`the body may have ${MAX_BODY_BYTES} bytes`));
      else chunks.push(chunk);
    }
    const onEnd = (): void => finish();
    const onError = (cause: Error): void => finish(new ApiError(400, 'incomplete_body', 'the body broke off', { cause }));
    const onClose = (): void => finish(new ApiError(400, 'incomplete_body', 'the body broke off'));
    const timer = setTimeout(
      () => finish(new ApiError(408, 'slow_body', `nothing of the body came for ${IDLE_MS / 1000} s`)),
      IDLE_MS,
    );

    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      return finish(tooLarge(`the body may have ${MAX_BODY_BYTES} bytes`));
    }
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder('utf-8');

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How deep arrays and objects are nested, counted without building them: 16 MB of `[` would become half a gigabyte. */
function depthOf(body: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return deepest;
}

/**
 * The text of a body. Bytes that are not UTF-8 become a lone surrogate, which no rule for a value lets through: so one bad path
 * among many is refused by itself.
 */
function textOf(body: Buffer): string {
  try {
    return strict.decode(body);
  } catch {
    // A replacement character that the client itself sent is put as an escape first, so that those left mark bad bytes.
    const escaped = Buffer.from(body.toString('latin1').replaceAll('\u00ef\u00bf\u00bd', '\\ufffd'), 'latin1');
    return lenient.decode(escaped).replaceAll('\ufffd', '\ud800');
  }
}

/** The value of a JSON text. Throws 400 that names the place where it is none. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw invalid('the body is empty, not JSON');
  if (depthOf(body) > MAX_DEPTH) throw invalid(`the body is nested more than ${MAX_DEPTH} deep`);
  try {
    return JSON.parse(textOf(body));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200) : '';
    throw new ApiError(400, 'malformed_json', `the body is not JSON: ${reason}`, { cause });
  }
}
