import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const FOLDER = new URL('../../../tooling/fixtures/posteriordb/', import.meta.url);

/** Summary of one quantity as computed from all reference draws in full precision. */
export type ReferenceSummary = Readonly<
  Record<'mean' | 'sd' | 'mcse_mean' | 'mcse_sd' | 'ess_mean' | 'ess_bulk' | 'ess_tail' | 'rhat' | 'n', number> &
    Record<`q${'05' | '25' | '50' | '75' | '95'}` | `mcse_q${'05' | '25' | '50' | '75' | '95'}`, number>
>;

interface Reference {
  readonly parameters: readonly string[];
  readonly summary: Readonly<Record<string, ReferenceSummary>>;
  readonly draws: {
    readonly shape: readonly [number, number];
    readonly chains: number;
    readonly draws_per_chain: number;
    readonly thin: number;
  };
}

/** Names of the posteriors. */
export const posteriorNames = (): string[] =>
  readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** The data of a posterior. */
export const posteriorData = (name: string): Readonly<Record<string, number | readonly number[]>> =>
  JSON.parse(readFileSync(new URL(`${name}/data.json`, FOLDER), 'utf8'));

/** What `reference.json` says, and the reference draws by quantity, as chains. */
export function posteriorDraws(name: string): { readonly reference: Reference; readonly chains: Readonly<Record<string, Float64Array[]>> } {
  const reference: Reference = JSON.parse(readFileSync(new URL(`${name}/reference.json`, FOLDER), 'utf8'));
  const raw = gunzipSync(readFileSync(new URL(`${name}/draws.f32.gz`, FOLDER)));
  const all = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  const { parameters, draws } = reference;
  const width = parameters.length;
  const length = draws.shape[0] / draws.chains;
  const chainsOf = (k: number) =>
    Array.from({ length: draws.chains }, (_, c) => Float64Array.from({ length }, (__, n) => all[(c * length + n) * width + k]!));
  return { reference, chains: Object.fromEntries(parameters.map((parameter, k) => [parameter, chainsOf(k)])) };
}
