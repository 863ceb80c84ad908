import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { tempFolder } from './temp-folder.ts';

/** Names of PEM files: an authority, and a certificate of its own for this machine (`localhost`, 127.0.0.1) with its key. */
export type Certificates = { ca: string; cert: string; key: string };

/** A fresh authority with one certificate that it has signed. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = tempFolder('certificates');
  const keep = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
  const ca = await generate([{ name: 'commonName', value: 'authority of a test' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const altNames = [{ type: 2, value: 'localhost' } as const, { type: 7, ip: '127.0.0.1' } as const];
  const own = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { ca: keep('ca.pem', ca.cert), cert: keep('cert.pem', own.cert), key: keep('key.pem', own.private) };
}
