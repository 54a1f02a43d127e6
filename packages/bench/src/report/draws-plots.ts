import type { Draws } from '@bpc/samplers';
import { plottedDraws } from './plotted-draws.js';
import { palette } from './style.js';

/** Drawn without names: as many as one looks at together. */
const MOST_PANELS = 12;
const MOST_PAIRS = 5;

/** The picture as a file of its own: with its colours, for light and dark surroundings. */
function standAlone(svg: string): string {
  const style = `<style>.bpc-plot{background:var(--paper);${palette.light}}@media(prefers-color-scheme:dark){.bpc-plot{${palette.dark}}}</style>`;
  return svg.replace(/^<svg ([^>]*)>/, (_, attributes: string) => `<svg class="bpc-plot" ${attributes}>${style}`);
}

/**
 * Draws over iterations as SVG, one panel per quantity and one line per chain, divergences marked below: chains that mix look
 * like grass and lie over each other.
 *
 * @param names variables (`theta`) or quantities (`theta[2]`). Default: the first 12 quantities of the parameters.
 * @returns SVG text that adapts to light and dark pages.
 * @throws ConfigError for a name that was not drawn, or without draws.
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { tracePlot } from '@bpc/bench';
 * import type { Draws } from '@bpc/samplers';
 * const save = async (draws: Draws) => writeFileSync('trace.svg', await tracePlot(draws, ['mu', 'tau']));
 * ```
 */
export async function tracePlot(draws: Draws, names?: readonly string[]): Promise<string> {
  const plotted = plottedDraws(draws, names, MOST_PANELS);
  // A plotting library takes a while to load: only who plots waits for it.
  const { traceChart } = await import('./trace-chart.js');
  return standAlone(traceChart(plotted));
}

/**
 * Histograms of the ranks that each chain's draws have among all, as SVG, one panel per quantity: flat if the chains have one
 * law, sloped where one is shifted, hollow where it is wider (Vehtari et al. 2021, section 4.5). Arguments and errors as for
 * `tracePlot`.
 */
export async function rankPlot(draws: Draws, names?: readonly string[]): Promise<string> {
  const plotted = plottedDraws(draws, names, MOST_PANELS);
  const { rankChart } = await import('./rank-chart.js');
  return standAlone(rankChart(plotted));
}

/**
 * Every quantity against every other as SVG, divergent draws on top in a colour of their own: where they gather, the sampler
 * cannot follow the density. Default: the first 5 quantities of the parameters; otherwise as `tracePlot`.
 */
export async function pairPlot(draws: Draws, names?: readonly string[]): Promise<string> {
  const plotted = plottedDraws(draws, names, MOST_PAIRS);
  const { pairChart } = await import('./pair-chart.js');
  return standAlone(pairChart(plotted));
}
