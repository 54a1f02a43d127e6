import type { Draws } from '../draws.js';

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const recordAt = (value: unknown, name: string): Json => {
  const found = isRecord(value) ? value[name] : undefined;
  return isRecord(found) ? found : {};
};
const isNumber = (value: unknown): value is number => typeof value === 'number';
const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.filter(isNumber) : []);

/** CmdStan writes other words for what is not finite; elsewhere the shortest text that reads back as the same number. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** CmdStan's names of metrics. */
const METRICS: Json = { unit: 'unit_e', diagonal: 'diag_e', dense: 'dense_e' };

function nutsComments(settings: Json): string[] {
  const { targetAcceptance, maxDepth, metric } = settings;
  const kind = METRICS[String(isRecord(metric) ? metric['kind'] : metric)];
  return [
    ...(isNumber(targetAcceptance) ? ['    adapt', `      delta = ${targetAcceptance}`] : []),
    '    algorithm = hmc',
    '      hmc',
    '        engine = nuts',
    ...(isNumber(maxDepth) ? ['          nuts', `            max_depth = ${maxDepth}`] : []),
    ...(kind === undefined ? [] : [`        metric = ${String(kind)}`]),
  ];
}

/** Comments before the names: settings as readers of CmdStan's files look for them, then all of the provenance. */
export function headerComments({ length, warmup, provenance }: Draws, chain: number): string[] {
  const settings = recordAt(provenance, 'settings');
  const thin = isNumber(settings['thin']) ? settings['thin'] : 1;
  const planned = isNumber(settings['warmup']) ? settings['warmup'] : 0;
  return [
    'method = sample',
    '  sample',
    `    num_samples = ${length * thin}`,
    `    num_warmup = ${warmup === undefined ? planned : warmup.length * thin}`,
    `    save_warmup = ${warmup === undefined ? 0 : 1}`,
    `    thin = ${thin}`,
    ...(provenance['algorithm'] === 'nuts' ? nutsComments(settings) : []),
    `id = ${chain + 1}`,
    // With a colon: readers take every line that looks like `name = value` for a setting of Stan's.
    ...Object.entries(provenance).flatMap(([name, value]) => (name === 'chains' ? [] : [`${name}: ${JSON.stringify(value)}`])),
  ];
}

/** Comments after the warm-up: the step size and metric that it found for one chain, as far as the provenance tells. */
export function adaptationComments({ provenance, statistics, length }: Draws, chain: number): string[] {
  const { chains } = provenance;
  const record: unknown = Array.isArray(chains) ? chains[chain] : undefined;
  const stepSize = isRecord(record) && isNumber(record['stepSize']) ? record['stepSize'] : statistics['stepSize']?.[chain * length];
  const metric = recordAt(record, 'metric');
  const inverseMass = numbers(metric['inverseMass']).map(numberText);
  const size = Math.sqrt(inverseMass.length);
  const rows = Array.from({ length: size }, (_, row) => inverseMass.slice(row * size, (row + 1) * size).join(', '));
  return [
    ...(stepSize === undefined ? [] : ['Adaptation terminated', `Step size = ${numberText(stepSize)}`]),
    ...(metric['kind'] === 'diagonal' ? ['Diagonal elements of inverse mass matrix:', inverseMass.join(', ')] : []),
    ...(metric['kind'] === 'dense' && Number.isInteger(size) ? ['Elements of inverse mass matrix:', ...rows] : []),
  ];
}

/** Comments after the draws: seconds of one chain, if they were measured. */
export function timeComments({ provenance }: Draws, chain: number): string[] {
  const { chains } = provenance;
  const { warmup, sampling } = recordAt(Array.isArray(chains) ? chains[chain] : undefined, 'seconds');
  if (!isNumber(warmup) || !isNumber(sampling)) return [];
  return [
    '',
    ` Elapsed Time: ${warmup.toFixed(3)} seconds (Warm-up)`,
    `               ${sampling.toFixed(3)} seconds (Sampling)`,
    `               ${(warmup + sampling).toFixed(3)} seconds (Total)`,
    '',
  ];
}
