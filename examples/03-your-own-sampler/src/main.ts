import '@tensorflow/tfjs-backend-cpu';
import { key, positive, sample, summary } from '@bpc/samplers';
import { samplerConformance } from '@bpc/samplers/testing';
import { log, mul, sub } from '@tensorflow/tfjs-core';
import { barker } from './barker.js';

// Deaths by horse kick in 200 corps-years of the Prussian army (Bortkiewicz 1898): 109 without, 65 with one, and so on.
const counts = [109, 65, 22, 3, 1];
const years = counts.reduce((a, b) => a + b);
const deaths = counts.reduce((sum, count, k) => sum + count * k, 0);

const draws = await sample({
  parameters: { rate: positive() },
  // Each count is Poisson(rate), rate ~ Exponential(1).
  logDensity: ({ rate }) => sub(mul(log(rate), deaths), mul(rate, years + 1)),
  algorithm: ({ logDensity }) => barker({ logDensity, stepSize: 1 }),
  key: key(0),
  targetAcceptance: 0.6,
  draws: 5000,
}).collect();
const result = summary(draws);
console.log(String(result));
const [shape, rate] = [deaths + 1, years + 1];
console.log(`exactly: mean ${(shape / rate).toFixed(4)}, sd ${(Math.sqrt(shape) / rate).toFixed(4)}, of Gamma(${shape}, ${rate})\n`);

// Any test runner's `it` will do; this one is enough to see the suite at work.
const tests: [name: string, body: () => void | Promise<void>][] = [];
samplerConformance({
  name: 'barker',
  algorithm: (target) => barker({ ...target, stepSize: 1.5 }),
  it: (name, body) => tests.push([name, body]),
});
let failed = 0;
for (const [name, body] of tests) {
  try {
    await body();
    console.log(`✓ ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`✗ ${name}\n  ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`\n${tests.length - failed} of ${tests.length} tests passed`);
process.exitCode = failed === 0 && result.warnings.length === 0 ? 0 : 1;
