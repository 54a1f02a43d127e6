// `npm run test:gpu [-- webgpu cuda]`: checks every operation, a ConvNet training step and a Langevin step on GPU providers
// of onnxruntime-node. What cannot start here is skipped, and that is said.
import { runBackend } from '../backends/run.mjs';
import { findDevice } from './devices.mjs';

const arguments_ = process.argv.slice(2);
const named = arguments_.filter((argument) => !argument.startsWith('-'));
const flags = arguments_.filter((argument) => argument.startsWith('-'));
for (const provider of named.length > 0 ? named : ['webgpu', 'cuda']) {
  const found = findDevice(provider);
  if ('device' in found) {
    console.error(`onnx:${provider} on ${found.device.driver}`);
    const code = await runBackend(`onnx:${provider}`, flags, found.device.env);
    if (code !== 0) process.exitCode = 1;
  } else {
    console.error(`skipped: onnx:${provider}: ${found.reason}`);
    // Who names a provider wants it tested.
    if (named.length > 0) process.exitCode = 1;
  }
}
