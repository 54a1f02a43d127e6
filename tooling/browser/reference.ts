// The same steps in Node, on ONNX Runtime's CPU kernels: what the browser's numbers are compared with.
import { onnxRuntime } from '@bpc/backend-onnx';
import { hostNormal, key } from '@bpc/core';
import * as ort from 'onnxruntime-node';
import { deviceSteps, largestDeviation, type Numbers } from '../device-steps.js';

/** Numbers of every step by its name, and noise that must come out bit for bit. */
export async function reference(): Promise<{ steps: Record<string, Numbers>; noise: number[] }> {
  const runtime = await onnxRuntime({ ort, threads: 1 });
  const steps: Record<string, Numbers> = {};
  for (const step of deviceSteps) steps[step.name] = await step.run(runtime);
  await runtime.dispose();
  return { steps, noise: Array.from(hostNormal(key(7), 4096)) };
}

export { largestDeviation };
