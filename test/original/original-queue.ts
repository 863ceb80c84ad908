import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

// What go-nsq sends and gets, byte by byte: nothing of ours takes part.

const FRAME_MESSAGE = 2;

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('  V2');
  return socket;
}

function withSize(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  return Buffer.concat([size, body]);
}

/** Publishes as the original's receiver does: "PUB images\n" [size, 4 bytes, highest first][body]. Resolves once nsqd says OK. */
export async function originalPublish(port: number, body: Buffer): Promise<void> {
  const socket = await open(port);
  socket.write(Buffer.concat([Buffer.from('PUB images\n'), withSize(body)]));
  const [answer] = await once(socket, 'data');
  socket.end();
  if (!(answer as Buffer).subarray(8).equals(Buffer.from('OK'))) throw new Error(`nsqd answered ${answer}`);
}

/** Takes one message as the original's processor does, and finishes it at once. Resolves to its body. */
export async function originalConsume(port: number): Promise<Buffer> {
  const socket = await open(port);
  socket.write('SUB images ch\nRDY 1\n');
  let received = Buffer.alloc(0);
  for await (const piece of socket) {
    received = Buffer.concat([received, piece as Buffer]);
    while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
      const size = received.readUInt32BE(0);
      const frame = received.subarray(4, 4 + size);
      received = received.subarray(4 + size);
      if (frame.readUInt32BE(0) !== FRAME_MESSAGE) continue;
      // [type, 4][time, 8][attempts, 2][id, 16][body]
      socket.end(Buffer.concat([Buffer.from('FIN '), frame.subarray(14, 30), Buffer.from('\n')]));
      return Buffer.from(frame.subarray(30));
    }
  }
  throw new Error('nsqd closed the connection');
}
