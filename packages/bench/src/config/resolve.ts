import { ConfigError } from '@bpc/core';
import type { z } from 'zod';
import { defaultDataset, defaultIpc, defaultMethod, preset, presetOf } from './defaults.js';
import { configSchema, datasetNames, methodNames, type Overrides, type RunConfig } from './schema.js';
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

function choosePreset(merged: Overrides): Overrides {
  const dataset = datasetNames.find((name) => name === (merged['dataset'] ?? defaultDataset)) ?? defaultDataset;
  const ipc = typeof merged['ipc'] === 'number' && merged['ipc'] >= 1 ? merged['ipc'] : defaultIpc;
  const method = methodNames.find((name) => name === merged['method']) ?? defaultMethod;
  return { dataset, method, preset: presetOf(method), ...preset(dataset, ipc, method) };
}

function checkTogether(config: RunConfig): void {
  const [, last] = config.startEpochRange;
  if (last > config.expertEpochs) {
    throw new ConfigError(
      `startEpochRange ends at epoch ${last}, but experts are trained for ${config.expertEpochs} epochs`,
      `pass --start-epoch-range ${Math.min(config.startEpochRange[0], config.expertEpochs)}-${config.expertEpochs} or --expert-epochs ${last}`,
    );
  }
  if (config.evaluation.temperature === 0 && config.evaluation.draws > 1) {
    throw new ConfigError(
      `evaluation.draws is ${config.evaluation.draws} at evaluation.temperature 0, where later draws only repeat the first`,
      'set evaluation.draws to 1, or evaluation.temperature above 0',
    );
  }
  if (config.evaluation.temperature > 0 && config.evaluation.priorPrecision === 0) {
    throw new ConfigError(
      `evaluation.priorPrecision is 0 at evaluation.temperature ${config.evaluation.temperature}, where draws need a proper prior`,
      'set evaluation.priorPrecision above 0, or evaluation.temperature to 0',
    );
  }
}

/**
 * The configuration of a run: the preset of its data set and images per class, overridden by the file, then by flags.
 *
 * @throws ConfigError naming the option, the value found, what is expected, and the remedy.
 */
export function resolveConfig(sources: ConfigSources): RunConfig {
  const given = overlay(overlay(sources.record ?? {}, sources.file?.values ?? {}), sources.flags ?? {});
  const values = overlay(choosePreset(given), given);
  // The last epoch follows a shortened training unless it was asked for.
  if (given['startEpochRange'] === undefined && typeof values['expertEpochs'] === 'number' && Array.isArray(values['startEpochRange'])) {
    const [first, last]: unknown[] = values['startEpochRange'];
    if (typeof first === 'number' && typeof last === 'number') {
      const end = Math.min(last, values['expertEpochs']);
      return validate({ ...values, startEpochRange: [Math.min(first, end), end] }, sources);
    }
  }
  return validate(values, sources);
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
