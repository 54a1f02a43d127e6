import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pairPlot, rankPlot, tracePlot } from '@bpc/bench';
import { key, sample, summary, toCmdStanCsv } from '@bpc/samplers';
import { centred, nonCentred } from './models.js';

const { values: options } = parseArgs({
  options: {
    centred: { type: 'boolean', default: false },
    'target-acceptance': { type: 'string', default: '0.95' },
    seed: { type: 'string', default: '0' },
    out: { type: 'string', default: 'bpc-out' },
  },
});

const settings = { key: key(Number(options.seed)), targetAcceptance: Number(options['target-acceptance']) };
const begun = performance.now();
// Two calls, since the two models have parameters of different names.
const draws = await (options.centred ? sample({ ...centred, ...settings }) : sample({ ...nonCentred, ...settings })).collect();
const seconds = (performance.now() - begun) / 1000;

const result = summary(draws, { names: ['mu', 'tau', 'theta'] });
console.log(`Eight schools, ${options.centred ? 'centred' : 'non-centred'}: ${String(result)}\n`);
console.log(`${seconds.toFixed(1)} s, compilation and warm-up included.`);

mkdirSync(options.out, { recursive: true });
const write = (name: string, text: string): void => {
  writeFileSync(join(options.out, name), text);
  console.log(`  ${join(options.out, name)}`);
};
write('trace.svg', await tracePlot(draws, ['mu', 'tau']));
write('ranks.svg', await rankPlot(draws, ['mu', 'tau']));
write('pairs.svg', await pairPlot(draws, ['mu', 'tau', 'theta[0]']));
for (const [chain, text] of toCmdStanCsv(draws).entries()) write(`draws-${chain + 1}.csv`, text);

// Draws that come with a warning are no result yet.
process.exitCode = result.warnings.length === 0 ? 0 : 1;
