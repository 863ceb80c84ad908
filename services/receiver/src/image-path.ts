const MAX_PATH_BYTES = 255;

/** Line breaks and the like would forge lines in logs and in the text answers. */
const CONTROL = /\p{Cc}/u;

/** What is wrong with a text that shall be stored and shown (a path, a person's name), or undefined where nothing is. */
export function faultOfText(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (!text.isWellFormed()) return 'must be UTF-8';
  if (CONTROL.test(text)) return 'must not contain control characters';
  // A character is at most 3 bytes a UTF-16 unit, so short texts need no counting.
  if (text.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(text) > MAX_PATH_BYTES) {
    return `must have at most ${MAX_PATH_BYTES} bytes of UTF-8 (it has ${Buffer.byteLength(text)})`;
  }
  return undefined;
}

/** The text on one line, whatever it contains. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
