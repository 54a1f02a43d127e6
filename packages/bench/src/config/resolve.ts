import { ConfigError } from '@bpc/core';
import type { z } from 'zod';
import { dsaStrategy } from '../data/dsa-strategy.js';
import { checkTogether } from './check-together.js';
import { defaultDataset, defaultIpc, defaultMethod } from './defaults.js';
import { evaluationFor } from './evaluation.js';
import { methodOfPreset, namedPreset, preset, presetOf } from './presets/index.js';
import { configSchema, datasetNames, methodNames, type Overrides, presetNames, type RunConfig } from './schema.js';
import { suggest } from './suggest.js';

/** Where settings come from, weakest first. */
export interface ConfigSources {
  /** What a file to work on says about itself. */
  readonly record?: Overrides;
  readonly file?: { readonly path: string; readonly values: Overrides };
  readonly flags?: Overrides;
}

const isRecord = (value: unknown): value is Overrides => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `imageLearningRate` to `--image-learning-rate`; `evaluation.stepSize` to `--evaluation-step-size`. */
export const flagName = (path: string): string =>
  `--${path.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function overlay(under: Overrides, over: Overrides): Overrides {
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = under[name];
    merged[name] = isRecord(below) && isRecord(value) ? overlay(below, value) : value;
  }
  return merged;
}

const lookUp = (values: Overrides | undefined, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((node, name) => (isRecord(node) ? node[String(name)] : undefined), values);

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

function refuse(issue: z.core.$ZodIssue, values: Overrides, sources: ConfigSources): ConfigError {
  const inFile = sources.file === undefined ? '' : ` in ${sources.file.path}`;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const section = issue.path.join('.');
    const known = lookUp(preset(defaultDataset, defaultIpc), issue.path) ?? {};
    const names = section === '' ? Object.keys(configSchema.shape) : Object.keys(known);
    const near = suggest(key, names);
    const remedy = near === undefined ? `remove it; known names: ${names.join(', ')}` : `did you mean '${near}'?`;
    return new ConfigError(`unknown option '${section === '' ? key : `${section}.${key}`}'${inFile}`, remedy);
  }
  // A bad element of a pair is reported as the pair.
  const path = issue.path.filter((part) => typeof part === 'string');
  const name = path.join('.');
  const fromFlag = lookUp(sources.flags, path) !== undefined;
  const fromFile = !fromFlag && lookUp(sources.file?.values, path) !== undefined;
  const subject = fromFlag ? `option ${flagName(name)}` : `'${name}'${fromFile ? inFile : ''}`;
  const found = lookUp(values, path);
  const words = /^one of: (.*)$/.exec(issue.message)?.[1]?.split(', ') ?? [];
  const near = typeof found === 'string' ? suggest(found, words) : undefined;
  const remedy = near === undefined ? `set ${fromFlag ? flagName(name) : name} to ${issue.message}` : `did you mean '${near}'?`;
  return new ConfigError(`${subject} is ${show(found)}, expected ${issue.message}`, remedy);
}

const among = <T extends string>(names: readonly T[], value: unknown): T | undefined => names.find((name) => name === value);

function choosePreset(given: Overrides): Overrides {
  const dataset = among(datasetNames, given['dataset']) ?? defaultDataset;
  const ipc = typeof given['ipc'] === 'number' && given['ipc'] >= 1 ? given['ipc'] : defaultIpc;
  const named = among(presetNames, given['preset']);
  const method = among(methodNames, given['method']) ?? (named === undefined ? defaultMethod : methodOfPreset(named));
  const name = named ?? presetOf(method);
  const settings = namedPreset(name, dataset, ipc);
  const wanted = isRecord(given['evaluation']) ? given['evaluation'] : {};
  const evaluation = evaluationFor(settings.evaluation, { protocol: wanted['protocol'], sampler: wanted['sampler'] }, dsaStrategy(dataset));
  return { dataset, method, preset: name, ...settings, evaluation };
}

/** The preset's range of start epochs, cut where a shortened training or an expert further ahead leaves no snapshot. */
function startEpochs(values: Overrides): Overrides {
  const { startEpochRange, expertEpochs, epochsAhead } = values;
  if (!Array.isArray(startEpochRange) || typeof expertEpochs !== 'number' || typeof epochsAhead !== 'number') return {};
  const [first, last]: unknown[] = startEpochRange;
  if (typeof first !== 'number' || typeof last !== 'number') return {};
  const end = Math.max(0, Math.min(last, expertEpochs - epochsAhead));
  return { startEpochRange: [Math.min(first, end), end] };
}

/**
 * The configuration of a run: the preset of its method, data set and images per class, overridden by the file, then by flags.
 *
 * @throws ConfigError naming the option, the value found, what is expected, and the remedy.
 */
export function resolveConfig(sources: ConfigSources): RunConfig {
  const given = overlay(overlay(sources.record ?? {}, sources.file?.values ?? {}), sources.flags ?? {});
  const values = overlay(choosePreset(given), given);
  // The last epoch follows a shortened training unless it was asked for.
  return validate(given['startEpochRange'] === undefined ? { ...values, ...startEpochs(values) } : values, sources);
}

function validate(values: Overrides, sources: ConfigSources): RunConfig {
  const result = configSchema.safeParse(values);
  if (!result.success) {
    const [issue] = result.error.issues;
    if (issue !== undefined) throw refuse(issue, values, sources);
  }
  const config = configSchema.parse(values);
  checkTogether(config);
  return config;
}
