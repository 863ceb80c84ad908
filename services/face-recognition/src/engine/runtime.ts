import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { RuntimeName } from './types.ts';

/** One loaded graph with one input of [1, channels, height, width]; the outputs by name. Not for two runs at once. */
export type Network = { run(input: Float32Array, shape: readonly number[]): Promise<Record<string, Float32Array>> };

export type Runtime = { name: RuntimeName; load(graph: Uint8Array): Promise<Network> };

type Ort = { InferenceSession: typeof InferenceSession; Tensor: typeof Tensor };

/**
 * The native library is built for glibc: on musl it takes the process down when it is loaded, so it is not even tried there. `native` fails
 * where it cannot be had; `auto` goes on with WebAssembly.
 */
export async function loadRuntime(choice: 'native' | 'wasm' | 'auto', hasGlibc: boolean): Promise<Runtime> {
  if (choice !== 'wasm' && (choice === 'native' || hasGlibc)) {
    try {
      return runtime('onnxruntime-node', await import('onnxruntime-node'), 'cpu');
    } catch (error) {
      if (choice === 'native') throw error;
    }
  }
  const web = await import('onnxruntime-web');
  // Its threads do not start in Node.js workers, and one engine runs in each worker anyway.
  web.env.wasm.numThreads = 1;
  return runtime('onnxruntime-web', web, 'wasm');
}

function runtime(name: RuntimeName, ort: Ort, provider: string): Runtime {
  return {
    name,
    async load(graph) {
      const session = await ort.InferenceSession.create(graph, {
        executionProviders: [provider],
        graphOptimizationLevel: 'all',
        executionMode: 'sequential',
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        // Photos of every shape go through the detector; a plan kept for each would only take memory.
        enableMemPattern: false,
      });
      const [inputName = ''] = session.inputNames;
      return {
        async run(input, shape) {
          const results = await session.run({ [inputName]: new ort.Tensor('float32', input, shape) });
          const out: Record<string, Float32Array> = {};
          for (const [name, { data }] of Object.entries(results)) if (data instanceof Float32Array) out[name] = data;
          return out;
        },
      };
    },
  };
}
