import { foldIn, type Key } from '@bpc/core';
import { type Draws, series } from '@bpc/samplers';
import { type Replication, replicate } from './model.js';

/** Draws that a rank is among: the last ones of a chain. */
export const RANKED = 99;

/** Ranks of true values among the draws of their posteriors, by quantity, one per replication. */
export async function calibrationRanks(
  replications: number,
  key: Key,
  draw: (y: Replication['y'], key: Key) => Promise<Draws>,
): Promise<Record<string, number[]>> {
  const ranks: Record<string, number[]> = {};
  for (let r = 0; r < replications; r++) {
    const own = foldIn(key, r);
    const { truth, y } = replicate(foldIn(own, 0));
    const quantities = series(await draw(y, foldIn(own, 1)));
    for (const [name, value] of Object.entries(truth)) {
      const chain = quantities.find((each) => each.name === name)?.chains[0]?.slice(-RANKED);
      if (chain?.length !== RANKED) throw new Error(`there are no ${RANKED} draws of ${name}`);
      const of = (ranks[name] ??= []);
      of.push(chain.filter((x) => x < value).length);
    }
  }
  return ranks;
}
