import { onnxRuntime } from '@bpc/backend-onnx';
import { crossEntropy, disposeTree, key, valueAndGrad } from '@bpc/core';
import { convNet } from '@bpc/models';
import { env, mean, oneHot, randomUniform, setBackend, tensor1d } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as ort from 'onnxruntime-node';
import { createInterface } from 'node:readline';
env().set('IS_NODE', false); await setBackend('cpu');
const B = +process.argv[2], threads = +process.argv[3];
const net = convNet({ inputShape: [32, 32, 3], outputs: 10 });
const rt = await onnxRuntime({ ort, threads });
const f = rt.compile((p, x, y) => valueAndGrad((p, x, y) => mean(crossEntropy(net.apply(p, x), y)))(p, x, y));
const p = net.init(key(0)), x = randomUniform([B, 32, 32, 3]), y = oneHot(tensor1d([...Array(B).keys()].map(i => i % 10), 'int32'), 10, 1, 0, 'float32');
for (let i = 0; i < 4; i++) await f(p, x, y);
console.log('ready');
for await (const l of createInterface({ input: process.stdin })) { const ts = []; for (let i = 0; i < +l; i++) { const t = performance.now(); const r = await f(p, x, y); ts.push(performance.now() - t); disposeTree({ ...r }); } console.log(JSON.stringify(ts)); }
process.exit(0);
