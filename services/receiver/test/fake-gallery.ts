import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type {
  CandidateMessage,
  DecideRequestMessage,
  DecideResponseMessage,
  DescribeResponseMessage,
  EnrolRequestMessage,
  ExaminedMessage,
  LoadedMessage,
} from '@kube-face/shared-lib/face-messages';
import { protoService } from '@kube-face/shared-lib/proto';

/** A face on a fake photo: who it looks like is a number, and a distance is a difference. */
export type FakeFace = { looks: number; width?: number; sharpness?: number; cutByEdge?: boolean };

export type FakeGallery = {
  address: string;
  port: number;
  threshold: number;
  model: string;
  /** Known photos that this process has not got, though they are in the folder. */
  misses: Set<string>;
  /** Ends the conversation when this step is asked for. */
  failAt: 'photo' | 'added' | 'decide' | undefined;
  isReady: boolean;
  loaded(): string[];
  stop(): void;
};

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);

/** Bytes that pass for a photo of these faces; `seed` makes others of the same. */
export function fakePhoto(faces: FakeFace[] | 'broken', seed = 0): Buffer<ArrayBuffer> {
  return Buffer.concat([JPEG, Buffer.from(JSON.stringify({ faces, seed }))]);
}

/** The descriptor of a face as it is stored. */
export function fakeDescriptor(looks: number): Buffer<ArrayBuffer> {
  const descriptor = Buffer.alloc(4);
  descriptor.writeFloatLE(looks);
  return descriptor;
}

function facesOf(photo: Buffer): FakeFace[] | 'broken' {
  try {
    return JSON.parse(photo.subarray(JPEG.length).toString()).faces;
  } catch {
    return 'broken'; // a real photo, or none
  }
}

/** Speaks `Gallery` and `HealthCheck` over the photos of a folder, made by `fakePhoto`. */
export async function startFakeGallery(folder: string, port = 0): Promise<FakeGallery> {
  const server = new Server();
  let known = new Map<string, number>();
  let reading = Promise.resolve();

  function near(looks: number, among?: readonly string[]): CandidateMessage[] {
    return [...known]
      .filter(([imageName]) => among === undefined || among.includes(imageName))
      .map(([imageName, other]) => ({ imageName, distance: Math.abs(looks - other) }))
      .toSorted((a, b) => a.distance - b.distance);
  }

  function examine(photo: Buffer): ExaminedMessage {
    const faces = facesOf(photo);
    if (faces === 'broken') return { error: 'unreadable_image', width: 0, height: 0, faces: [], model: gallery.model };
    return {
      error: '',
      width: 500,
      height: 500,
      model: gallery.model,
      faces: faces.map(({ looks, width = 100, sharpness = 100, cutByEdge = false }) => {
        const candidates = near(looks);
        const box = { x: 10, y: 10, width, height: width };
        const face = { box, score: 0.9, imageName: '', distance: 0, candidates, descriptor: fakeDescriptor(looks) };
        return { face, sharpness, cutByEdge };
      }),
    };
  }

  async function read(): Promise<void> {
    const found = new Map<string, number>();
    for (const name of await readdir(folder)) {
      if (name.startsWith('.') || gallery.misses.has(name)) continue;
      const faces = facesOf(await readFile(join(folder, name)));
      if (faces !== 'broken' && faces[0]) found.set(name, faces[0].looks);
    }
    known = found;
  }

  /** One after the other: whoever asked finds what was there when they asked. */
  function load(): Promise<void> {
    reading = reading.catch(() => {}).then(read);
    return reading;
  }

  type Answer = { examined: ExaminedMessage } | { loaded: LoadedMessage };
  async function enrol(call: ServerDuplexStream<EnrolRequestMessage, Answer>): Promise<void> {
    for await (const request of call.iterator({ destroyOnReturn: false }) as AsyncIterable<EnrolRequestMessage>) {
      if (gallery.failAt !== undefined && gallery.failAt in request) return void server.forceShutdown();
      if ('photo' in request) {
        call.write({ examined: examine(request.photo) });
        continue;
      }
      await load();
      const asked = 'added' in request ? request.added.imageNames : [];
      call.write({ loaded: { galleryVersion: 1, missing: asked.filter((name) => !known.has(name)) } });
    }
    call.end();
  }

  function decide(
    { request }: ServerUnaryCall<DecideRequestMessage, DecideResponseMessage>,
    callback: sendUnaryData<DecideResponseMessage>,
  ): void {
    if (gallery.failAt === 'decide') {
      callback({ code: status.UNAVAILABLE, details: 'scripted' });
      return;
    }
    const threshold = request.threshold ?? gallery.threshold;
    const decisions = request.descriptors.map((descriptor) => {
      const looks = descriptor.readFloatLE();
      const [nearest] = near(looks, request.among.length > 0 ? request.among : undefined);
      if (request.among.length > 0 && (nearest === undefined || nearest.distance > threshold)) {
        return { decided: false, imageName: '', distance: 0, candidates: [] };
      }
      return { decided: true, imageName: '', distance: 0, candidates: near(looks) };
    });
    callback(null, { decisions, galleryVersion: 1 });
  }

  const gallery: FakeGallery = {
    address: '',
    port: 0,
    threshold: 0.5,
    model: 'fake',
    misses: new Set(),
    failAt: undefined,
    isReady: true,
    loaded: () => [...known.keys()].toSorted(),
    stop: () => server.forceShutdown(),
  };
  server.addService(protoService('Gallery').service, {
    enrol: (call: ServerDuplexStream<EnrolRequestMessage, Answer>) => void enrol(call).catch(() => {}), // the client hung up
    decide,
    describe: (_call: unknown, callback: sendUnaryData<DescribeResponseMessage>) =>
      callback(null, {
        model: gallery.model,
        threshold: gallery.threshold,
        galleryVersion: 1,
        gallerySize: known.size,
        workers: 2,
        queueLimit: 4,
        engine: 'fake',
      }),
  });
  server.addService(protoService('HealthCheck').service, {
    healthCheck: (_call: unknown, callback: sendUnaryData<{ ready: boolean }>) => callback(null, { ready: gallery.isReady }),
  });
  gallery.port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  gallery.address = `127.0.0.1:${gallery.port}`;
  return gallery;
}
