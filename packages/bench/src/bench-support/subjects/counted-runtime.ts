import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import { ensureHostBackend, type Runtime } from '@bpc/core';
import * as ort from 'onnxruntime-node';
import type { RuntimeSubject } from '../runtime/options.js';

/** A runtime, and how many sessions of its engine are alive. */
export interface CountedRuntime {
  readonly runtime: Runtime;
  sessions(): number;
}

/** Opens a compiled runtime with one thread, its sessions counted where ONNX Runtime makes them. */
export async function countedRuntime(subject: RuntimeSubject): Promise<CountedRuntime> {
  ensureHostBackend();
  if (subject === 'js') return { runtime: jsRuntime(), sessions: () => 0 };
  let alive = 0;
  const create = async (model: Uint8Array, options?: ort.InferenceSession.SessionOptions) => {
    const session = await ort.InferenceSession.create(model, options);
    alive++;
    const release = session.release.bind(session);
    session.release = async () => {
      alive--;
      await release();
    };
    return session;
  };
  const counting = { ...ort, InferenceSession: { create } } as Parameters<typeof onnxRuntime>[0]['ort'];
  return { runtime: await onnxRuntime({ ort: counting, threads: 1 }), sessions: () => alive };
}
