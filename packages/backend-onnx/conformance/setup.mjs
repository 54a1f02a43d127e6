// First module of the bundle: registers the backend under test and tells tfjs-core's suite to run on it.
//
// In one bundle with the suite, so that both use the same copy of tfjs-core.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { traceKernels } from '@bpc/compiler';
import { engine } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util';
import * as ort from 'onnxruntime-node';
import { OnnxBackend } from '../src/eager/backend.ts';
import { registerOnnxBackend } from '../src/index.ts';

export const NAME = 'onnx';

/** Settled when the provider has been tried. The suite asks for the backend again and again, and finds it registered. */
export const registered = registerOnnxBackend({ ort, name: NAME, fallback: 'cpu' });
setTestEnvs([{ name: NAME, backendName: NAME, flags: {}, isDataSync: false }]);

/** Whether tfjs computes on the backend under test now. */
export const isOurs = () => engine().backendName === NAME && engine().backend instanceof OnnxBackend;

/** Kernels that have a lowering. */
export const loweredKernels = () => traceKernels.map(({ kernelName }) => kernelName);
