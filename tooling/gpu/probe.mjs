// `node probe.mjs PROVIDER`: starts a provider of onnxruntime-node and prints what came of it as JSON. A process of its own,
// because drivers that are half there print to the terminal or end the process.
import { onnxRuntime } from '@bpc/backend-onnx';
import * as ort from 'onnxruntime-node';

const [provider = 'webgpu'] = process.argv.slice(2);
try {
  await (await onnxRuntime({ ort, executionProviders: [provider] })).dispose();
  console.log(JSON.stringify({ ok: true, reason: '' }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, reason: error instanceof Error ? error.message : String(error) }));
}
