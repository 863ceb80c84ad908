export type PhotoFault = 'unreadable_image' | 'too_large';

/** The photo's own fault: no other try will end differently. `detail` is for people. */
export class PhotoError extends Error {
  override readonly name = 'PhotoError';
  readonly code: PhotoFault;
  readonly detail: string;

  constructor(code: PhotoFault, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}

export type EngineFault = 'busy' | 'crashed' | 'timeout' | 'closed';

/** Not (provably) the photo's fault: `busy` was never begun; `crashed` and `timeout` cost a worker, which is replaced. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineFault;

  constructor(code: EngineFault, detail: string, options?: ErrorOptions) {
    super(`engine ${code}: ${detail}`, options);
    this.code = code;
  }
}
