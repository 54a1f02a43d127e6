// What runs in the page: one step on one runtime, named by the address; the driver (run.mjs) compares the numbers.
import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import { hostNormal, key, type Runtime } from '@bpc/core';
import * as ort from 'onnxruntime-web';
import { deviceSteps, type Numbers } from '../device-steps.js';

type Description = Readonly<Record<string, string | number | boolean>>;
type Answer =
  | { readonly numbers: Numbers; readonly description: Description; readonly noise: readonly number[] }
  | { readonly skipped: string }
  | { readonly error: string };

declare global {
  interface Window {
    /** Set when the step has run. */
    bpcAnswer?: Answer;
  }
}

// Beside the page; the runtime would look beside its bundle.
ort.env.wasm.wasmPaths = '/ort/';
ort.env.wasm.numThreads = 1;

const open: Readonly<Record<string, () => Runtime | Promise<Runtime>>> = {
  'js:auto': () => jsRuntime(),
  'js:javascript': () => jsRuntime({ printer: 'javascript' }),
  'js:wasm': () => jsRuntime({ printer: 'wasm' }),
  'js:interpreter': () => jsRuntime({ printer: 'interpreter' }),
  'onnx:wasm': () => onnxRuntime({ ort, executionProviders: ['wasm'] }),
  'onnx:webgpu': () => onnxRuntime({ ort, executionProviders: ['webgpu'] }),
};

async function hasGpu(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  return ((await gpu?.requestAdapter()) ?? null) !== null;
}

async function answer(runtimeName: string, stepName: string): Promise<Answer> {
  try {
    const step = deviceSteps.find(({ name }) => name === stepName);
    const make = open[runtimeName];
    if (step === undefined || make === undefined) throw new Error(`no step '${stepName}' or runtime '${runtimeName}'`);
    if (runtimeName === 'onnx:webgpu' && !(await hasGpu())) return { skipped: 'this Chromium gives no WebGPU adapter' };
    const runtime = await make();
    const numbers = await step.run(runtime);
    const description = runtime.describe();
    await runtime.dispose();
    return { numbers, description, noise: Array.from(hostNormal(key(7), 4096)) };
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

// Started by the page itself: what a debugger evaluates is exempt from the page's Content-Security-Policy.
const { searchParams } = new URL(location.href);
window.bpcAnswer = await answer(searchParams.get('runtime') ?? '', searchParams.get('step') ?? '');
