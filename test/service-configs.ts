import { ConfigError } from '@kube-face/shared-lib/env';
import { loadConfig as faceRecognition } from '../services/face-recognition/src/config.ts';
import { loadConfig as frontend } from '../services/frontend/src/config.ts';
import { loadConfig as imageProcessor } from '../services/image-processor/src/config.ts';
import { loadRedeemerConfig as redeemer } from '../services/image-processor/src/redeemer-config.ts';
import { loadConfig as receiver } from '../services/receiver/src/config.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** What reads the configuration of each process, by the label of its pods. */
export const CONFIGS: Record<string, (env: Env) => unknown> = {
  receiver,
  'image-processor': imageProcessor,
  'face-recog': (env) => faceRecognition(env, 2),
  frontend,
  redeemer,
};

/** The names of the variables that a service asks for while it reads its configuration. */
export function variablesRead(load: (env: Env) => unknown): Set<string> {
  const names = new Set<string>();
  const env = new Proxy<Env>(
    {},
    {
      get(_target, name) {
        names.add(String(name));
        return undefined;
      },
    },
  );
  try {
    load(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error; // variables without a default are missing, as they should be
  }
  return names;
}
