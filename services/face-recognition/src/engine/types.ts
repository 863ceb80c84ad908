/** In pixels of the upright original; may reach over its edge by a rounding only. */
export type Box = { x: number; y: number; width: number; height: number };

export type DetectedFace = {
  box: Box;
  /** The detector's own certainty, 0 to 1. */
  score: number;
  /** 68 points as x, y, x, y, … in pixels of the upright original, in dlib's order. */
  landmarks: Float32Array;
  descriptor: Float32Array;
  /** Variance of the Laplacian on the descriptor's chip (0 to 255 grey levels): low is blurred. Comparable between photos. */
  sharpness: number;
  /** The face reaches over the photo's edge. */
  cutByEdge: boolean;
};

/** `faces` come largest first; `timings` are milliseconds by step. Width and height are those of the upright original. */
export type Analysis = { width: number; height: number; faces: DetectedFace[]; timings: Record<string, number> };

/** What a descriptor belongs to: those of different names are never compared. `threshold` is the largest distance of a match. */
export type ModelInfo = { name: string; length: number; metric: 'euclidean' | 'cosine'; threshold: number };

export type RuntimeName = 'onnxruntime-node' | 'onnxruntime-web';

export type AnalyseOptions = {
  /** Aborting takes a waiting photo out of the queue; one that is being worked on is finished and its result dropped. */
  signal?: AbortSignal;
  /** Counts from the moment when a worker takes the photo up; past it the worker is ended and replaced. */
  deadlineMs?: number;
  /** `background` waits behind all `serve` work and is never refused as `busy`. Default `serve`. */
  priority?: 'serve' | 'background';
  /** A known photo, whose descriptors are kept and compared with many: worth the time for a better one, where the model has it. */
  known?: boolean;
  /** Called when a worker takes the photo up. */
  onStart?: () => void;
};

export type EnginePool = {
  readonly model: ModelInfo;
  readonly runtime: RuntimeName;
  readonly workers: number;
  readonly queueLimit: number;
  /** Workers that have a photo in hand. */
  readonly busy: number;
  /** Photos that wait, of either priority. */
  readonly queued: number;
  /** Fails with a `PhotoError` (the photo's own fault), an `EngineError`, or the signal's reason. The bytes are handed over: do not use them afterwards. */
  analyse(photo: Uint8Array, options?: AnalyseOptions): Promise<Analysis>;
  close(): Promise<void>;
};
