import { fileURLToPath } from 'node:url';
import { ConfigError } from '@bpc/core';
import { type ReferencePosteriorName, referencePosteriors } from '@bpc/samplers/testing';
import { suggest } from '../../config/index.js';
import { parseOptions, usageOf } from '../option-values.js';

export interface PosteriorSettings {
  readonly posteriors: readonly ReferencePosteriorName[];
  /** Folder with a folder per posterior: `data.json` and `reference.json`. */
  readonly folder: string;
  readonly seed: number;
  readonly chains: number;
  readonly warmup: number;
  /** Per chain, at first. */
  readonly draws: number;
  readonly targetAcceptance: number;
}

const names = Object.keys(referencePosteriors) as ReferencePosteriorName[];

/** The repository's copy, from `src` and `dist` alike; the package carries none. */
const fixtures = (): string => fileURLToPath(new URL('../../../../../tooling/fixtures/posteriordb', import.meta.url));

const defaults = { posteriors: 'all', seed: '0', chains: '4', warmup: '1000', draws: '1000', 'target-acceptance': '0.95' };

function choose(text: string): ReferencePosteriorName[] {
  if (text === 'all') return names;
  return [...new Set(text.split(','))].map((name) => {
    // `garch` will do for `garch-garch11`.
    const found = names.find((each) => each === name || each.split('-')[0] === name);
    if (found !== undefined) return found;
    const near = suggest(name, names);
    throw new ConfigError(
      `--posteriors has '${name}', expected ${names.join(', ')}`,
      near === undefined ? 'pass --posteriors with some of these' : `did you mean '${near}'?`,
    );
  });
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new ConfigError(`--${option} is ${text}, expected an integer ≥ ${least}`, `pass for example --${option} ${least + 1}`);
}

/** Reads the words after the bench's name. @throws ConfigError for those it does not know. */
export function posteriorSettings(args: readonly string[]): PosteriorSettings {
  const option = (value: string) => ({ type: 'string' as const, default: value });
  const values = parseOptions(
    {
      args: [...args],
      options: {
        posteriors: option(defaults.posteriors),
        posteriordb: option(fixtures()),
        seed: option(defaults.seed),
        chains: option(defaults.chains),
        warmup: option(defaults.warmup),
        draws: option(defaults.draws),
        'target-acceptance': option(defaults['target-acceptance']),
      },
    },
    `${usageOf({ ...defaults, posteriors: names.map((name) => name.split('-')[0]).join(',') })} --posteriordb FOLDER`,
  );
  const targetAcceptance = Number(values['target-acceptance']);
  if (!(targetAcceptance > 0 && targetAcceptance < 1)) {
    throw new ConfigError(`--target-acceptance is ${values['target-acceptance']}, expected a number in (0, 1)`, 'pass 0.95, say');
  }
  return {
    posteriors: choose(values.posteriors),
    folder: values.posteriordb,
    seed: whole('seed', values.seed, 0),
    chains: whole('chains', values.chains, 1),
    warmup: whole('warmup', values.warmup, 0),
    draws: whole('draws', values.draws, 4),
    targetAcceptance,
  };
}
