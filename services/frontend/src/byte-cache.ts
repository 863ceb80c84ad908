/** Keeps the values used last, up to `maxBytes` together. */
export function createByteCache<T extends { body: Buffer }>(maxBytes: number) {
  const entries = new Map<string, T>(); // in the order of use
  let bytes = 0;

  function remove(key: string): void {
    bytes -= entries.get(key)?.body.length ?? 0;
    entries.delete(key);
  }

  return {
    get(key: string): T | undefined {
      const value = entries.get(key);
      if (value) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set(key: string, value: T): void {
      remove(key);
      if (value.body.length > maxBytes) return;
      entries.set(key, value);
      bytes += value.body.length;
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        remove(oldest);
      }
    },
    get bytes() {
      return bytes;
    },
  };
}
