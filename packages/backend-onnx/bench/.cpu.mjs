// CPU ms per gradient at 1 thread: robust against other load. args: W size cin B [dist]
import { compiledRuntime } from '@bpc/compiler';
import { crossEntropy, disposeTree, key, valueAndGrad } from '@bpc/core';
import { convNet } from '@bpc/models';
import { env, mean, oneHot, randomUniform, setBackend, tensor1d } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as ort from 'onnxruntime-node';
env().set('IS_NODE', false); await setBackend('cpu');
const [W, S, cin, B] = process.argv.slice(2, 6).map(Number);
const dists = process.argv.slice(6);
const subs = [];
for (const d of dists) {
  const { onnxTarget } = await import(d + '/index.js');
  const net = convNet({ inputShape: [S, S, cin], outputs: 10, width: W });
  const rt = compiledRuntime({ target: onnxTarget({ ort, threads: 1 }) });
  const f = rt.compile((p, x, y) => valueAndGrad((p, x, y) => mean(crossEntropy(net.apply(p, x), y)))(p, x, y));
  const p = net.init(key(0)), x = randomUniform([B, S, S, cin]), y = oneHot(tensor1d([...Array(B).keys()].map(i => i % 10), 'int32'), 10, 1, 0, 'float32');
  for (let i = 0; i < 4; i++) await f(p, x, y);
  subs.push({ d, ts: [], ws: [], go: async n => { const rs = []; const u = process.cpuUsage(), w = performance.now(); for (let i = 0; i < n; i++) rs.push(await f(p, x, y)); const v = process.cpuUsage(u); rs.forEach(r => disposeTree({ ...r })); return [(v.user + v.system) / 1e3 / n, (performance.now() - w) / n]; } });
}
for (let r = 0; r < 12; r++) for (const s of subs) { const [t, w] = await s.go(B > 50 ? 2 : 10); s.ts.push(t); s.ws.push(w); }
for (const s of subs) { s.ts.sort((a, b) => a - b); s.ws.sort((a, b) => a - b); console.log(s.d.slice(-20).padEnd(20), `W${W} S${S} B${B} cpu min ${s.ts[0].toFixed(2)} med ${s.ts[6].toFixed(2)} wall min ${s.ws[0].toFixed(2)}`); }
process.exit(0);
