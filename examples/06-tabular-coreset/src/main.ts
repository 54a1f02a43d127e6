import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.js';
import { type Closeness, measures } from './closeness.js';
import { COMPONENTS, SIZE, tabularData } from './data.js';
import { printTable } from './print-table.js';
import { settings } from './settings.js';
import { type Score, type Study, study } from './study.js';
import { approach, digits, median, scoresOf, sizesOf, spread, wins } from './summarise.js';

const chosen = settings();
const { points, sizes, seeds } = chosen;
const begun = performance.now();
const data = await tabularData(points);
const about = `Logistic regression on a9a: ${points} rows, ${COMPONENTS} principal components (${(100 * data.explained).toFixed(0)} % of the variance), ${SIZE} coefficients`;
console.log(
  `${about}\n${seeds.length} seed${seeds.length === 1 ? '' : 's'}; every posterior sampled by NUTS, 4 chains of ${chosen.chain.draws} draws\n`,
);
const found = await study(data, chosen, (line) => console.error(line));

/** Shown with their range over seeds. */
const ranged = new Set<keyof Closeness>(['klToFull', 'klFromFull']);
const header = ['', 'points', 'KL to full', 'KL from full', 'KL to full, Laplace', 'error of means', 'error of sds', 'validation NLL'];
const alone = (name: string, of: Closeness) => [name, '', ...measures.map((measure) => cell(measure, of[measure]))];
const cell = (measure: keyof Closeness, value: number) => (measure === 'nll' ? value.toFixed(4) : digits(value));
const row = ({ name, size, of }: { name: string; size: number; of: readonly Score[] }) => [
  `${name}, ${size}`,
  digits(median(of.map((score) => score.points))),
  ...measures.map((measure) => (ranged.has(measure) ? spread(of, measure) : cell(measure, median(of.map((score) => score[measure]))))),
];
printTable(header, [
  ...found.methods.flatMap(({ name }) => sizesOf(found, name).map((size) => row({ name, size, of: scoresOf(found, name, size) }))),
  alone('all points, NUTS again', found.again),
  alone('all points, Laplace', found.laplace),
  alone('prior only', found.prior),
]);
console.log(`
KL in nats of the normal distributions that fit the draws; errors in standard deviations of the full posterior, root mean square
over coefficients; NLL per validation row. ${seeds.length === 1 ? '' : 'Medians over seeds (least…most). '}Seconds to make the coresets of one seed:`);
for (const { name, note } of found.methods) console.log(`  ${name}: ${(found.seconds.get(name) ?? Number.NaN).toFixed(1)} s; ${note}`);

const falls = (method: string): boolean => {
  const [first, last] = approach(found, method);
  console.log(
    `  ${method}: ${digits(first)} → ${digits(last)} nats from ${sizesOf(found, method)[0]} to ${sizesOf(found, method).at(-1)} points`,
  );
  return last < first;
};
const ahead = (pair: readonly [string, string], study: Study) => {
  const counts = sizes.flatMap((size) => {
    const [won, of] = wins(study, size, pair) ?? [];
    return won === undefined || of === undefined ? [] : [{ size, won, of }];
  });
  console.log(`  ${pair[0]} ≤ ${pair[1]}: ${counts.map(({ size, won, of }) => `${won} of ${of} at ${size}`).join(', ')}`);
  return counts.every(({ won, of }) => 2 * won > of);
};
console.log('\nKL to full, from the smallest coreset to the largest:');
const approaching = found.methods.map(({ name }) => falls(name)).every(Boolean);
console.log('\nSeeds in which one is at least as near as the other, by KL to full:');
const rivals: readonly (readonly [string, string])[] = [
  ['PSVI', 'SparseVI'],
  ['SparseVI', 'random, w = N/M'],
  ['PSVI', 'random, w = N/M'],
  ['PSVI', 'GIGA, full π̂'],
];
const ordered = rivals.map((pair) => ahead(pair, found));

const rhat = Math.max(found.reference.worstRhat, ...found.scores.map(({ worstRhat }) => worstRhat));
const divergences = found.reference.divergences + found.scores.reduce((total, score) => total + score.divergences, 0);
const ess = Math.min(...found.scores.map(({ smallestEss }) => smallestEss));
console.log(
  `\nNUTS: ${found.scores.length + 2} posteriors, largest R-hat ${rhat.toFixed(3)}, smallest bulk ESS ${ess.toFixed(0)}, ${divergences} divergent transitions`,
);
mkdirSync(chosen.out, { recursive: true });
const picture = join(chosen.out, 'tabular.svg');
writeFileSync(picture, chart(found, seeds.length === 1 ? about : `${about}; ${seeds.length} seeds, lines are medians`));
writeFileSync(join(chosen.out, 'tabular.json'), `${JSON.stringify({ settings: chosen, ...found, reference: undefined }, undefined, 1)}\n`);
console.log(`${picture}, ${join(chosen.out, 'tabular.json')}; ${((performance.now() - begun) / 1000).toFixed(0)} seconds in all`);

if (rhat > 1.05) console.error('Some chains of NUTS do not agree: look at their R-hat before believing a figure.');
if (!approaching) console.error('Some coresets did not come nearer as they grew.');
if (!ordered[0] || !ordered[1]) console.error('The ordering PSVI ≤ SparseVI ≤ random does not hold in most seeds.');
process.exitCode = rhat <= 1.05 && approaching && ordered[0] && ordered[1] ? 0 : 1;
