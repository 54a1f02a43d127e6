import { pairPlot, rankPlot, tracePlot } from '@bpc/bench';
import type { Draws } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { rankCounts } from '../src/report/rank-chart.js';

const CHAINS = 3;
const LENGTH = 50;
const size = CHAINS * LENGTH;
/** Numbers without order or ties. */
const spread = (seed: number, count: number) => Float64Array.from({ length: count }, (_, i) => Math.sin(seed + (i + 1) ** 2));

function drawsWith(overrides: Partial<Draws> = {}): Draws {
  return {
    chains: CHAINS,
    length: LENGTH,
    variables: [
      { name: 'mu', shape: [], kind: 'parameter' },
      { name: 'tau<&"', shape: [2], kind: 'parameter' },
      { name: 'theta', shape: [], kind: 'derived' },
    ],
    values: { mu: spread(1, size), 'tau<&"': spread(2, 2 * size), theta: spread(3, size) },
    statistics: { divergent: Float64Array.from({ length: size }, (_, i) => (i % 60 === 7 ? 1 : 0)) },
    unconstrained: new Float64Array(0),
    interrupted: false,
    provenance: {},
    ...overrides,
  };
}

const draws = drawsWith();
const calm = drawsWith({ statistics: {} });
const count = (svg: string, pattern: RegExp) => (svg.match(pattern) ?? []).length;
const labels = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
/** Corners of the line that is drawn in a colour. */
const corners = (svg: string, colour: string) =>
  (svg.match(new RegExp(`<path d="([^"]*)"[^>]*stroke="var\\(--${colour}\\)"`))?.[1] ?? '').split(/[ML]/).length - 1;

describe.each([
  ['trace', tracePlot],
  ['rank', rankPlot],
] as const)('%s plot', (_, plot) => {
  it('has one line per chain and quantity, in the colour of the chain', async () => {
    const svg = await plot(draws);
    // mu and two of tau: derived quantities are left out unless they are named.
    for (let c = 0; c < CHAINS; c++) expect(count(svg, new RegExp(`stroke="var\\(--chain${c}\\)"`, 'g'))).toBe(3);
    expect(count(svg, /stroke="var\(--chain3\)"/g)).toBe(0);
    expect(count(await plot(draws, ['theta', 'tau<&"[1]']), /stroke="var\(--chain0\)"/g)).toBe(2);
  });

  it('has the names as titles, escaped, and says what it is to who cannot see it', async () => {
    const svg = await plot(draws);
    expect(labels(svg)).toEqual(expect.arrayContaining(['mu', 'tau&lt;&amp;&quot;[0]', 'tau&lt;&amp;&quot;[1]', 'chain 0', 'chain 2']));
    expect(svg).toMatch(/^<svg class="bpc-plot"[^>]*aria-label="[TR][a-z]+ of mu, tau&lt;&amp;&quot;\[0\]/);
    expect(svg).not.toContain('<&"');
  });

  it('has its own colours for light and dark surroundings', async () => {
    const svg = await plot(draws);
    expect(svg).toContain('prefers-color-scheme:dark');
    const used = new Set([...svg.matchAll(/var\(--(\w+)\)/g)].map((match) => match[1]));
    for (const name of used) expect(count(svg, new RegExp(`--${name}:`, 'g')), name).toBe(2);
    expect(svg).not.toContain('#0100');
  });

  it('refuses names that were not drawn, and no draws', async () => {
    await expect(plot(draws, ['nu'])).rejects.toThrow(expect.objectContaining({ code: 'CONFIG' }));
    await expect(plot({ ...draws, length: 0 })).rejects.toThrow(/no draws/);
  });
});

describe('trace plot', () => {
  it('marks every divergence in every panel', async () => {
    // Draws 7, 67 and 127 of 150.
    expect(count(await tracePlot(draws), /fill="var\(--divergent\)"/g)).toBe(3 * 3);
    expect(count(await tracePlot(calm), /fill="var\(--divergent\)"/g)).toBe(0);
  });

  it('draws every draw of a short chain, and of a long one few points with its extremes', async () => {
    expect(corners(await tracePlot(draws, ['mu']), 'chain0')).toBe(LENGTH);
    const long = spread(4, 100_000);
    long[77_777] = 9;
    const svg = await tracePlot(
      drawsWith({
        chains: 1,
        length: 100_000,
        statistics: {},
        variables: [{ name: 'x', shape: [], kind: 'parameter' }],
        values: { x: long },
      }),
    );
    expect(corners(svg, 'chain0')).toBeLessThanOrEqual(800);
    // The spike is most of the panel's height above all else.
    const heights = [...(svg.match(/<path d="([^"]*)"[^>]*stroke="var\(--chain0\)"/)?.[1] ?? '').matchAll(/[ML]\S+ (\S+?)(?=[ML]|$)/g)].map(
      (match) => Number(match[1]),
    );
    const [first = 0, second = 0] = [...heights].sort((a, b) => a - b);
    expect(second - first).toBeGreaterThan(50);
  });
});

describe('rank plot', () => {
  it('counts the ranks of each chain: all bins together are its draws', () => {
    const chains = [Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6, 7, 8)];
    expect(rankCounts(chains, 4)).toEqual([
      [2, 2, 0, 0],
      [0, 0, 2, 2],
    ]);
    expect(rankCounts([spread(5, 70), spread(6, 70)], 20).map((counts) => counts.reduce((a, b) => a + b, 0))).toEqual([70, 70]);
  });

  it('has the two dashed lines of chance in every panel', async () => {
    expect(count(await rankPlot(draws), /stroke-dasharray/g)).toBe(3 * 2);
  });
});

describe('pair plot', () => {
  it('has a histogram per quantity and a cloud per pair, divergent draws in their own colour', async () => {
    const svg = await pairPlot(draws);
    expect(count(svg, /stroke="var\(--chain0\)"/g)).toBe(3);
    expect(count(svg, /fill="var\(--chain0\)"/g)).toBe(3);
    expect(count(svg, /fill="var\(--divergent\)"/g)).toBe(3 + 1);
    expect(labels(svg)).toEqual(expect.arrayContaining(['mu', 'tau&lt;&amp;&quot;[0]', 'tau&lt;&amp;&quot;[1]', '3 divergent draws']));
    expect(await pairPlot(calm)).not.toMatch(/fill="var\(--divergent\)"/);
  });

  it('takes quantities that never change or are not finite', async () => {
    const odd = drawsWith({
      variables: ['a', 'b'].map((name) => ({ name, shape: [], kind: 'parameter' as const })),
      values: { a: new Float64Array(size).fill(2), b: spread(1, size).map((x, i) => (i === 3 ? Number.NaN : x)) },
    });
    for (const svg of [await pairPlot(odd), await tracePlot(odd), await rankPlot(odd)]) expect(svg).not.toContain('NaN');
  });

  it('shows the first five parameters unless it is told which', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const many = drawsWith({
      variables: names.map((name) => ({ name, shape: [], kind: 'parameter' as const })),
      values: Object.fromEntries(names.map((name, i) => [name, spread(i, size)])),
    });
    expect(count(await pairPlot(many), /stroke="var\(--chain0\)"/g)).toBe(5);
    expect(count(await pairPlot(many, ['f', 'g']), /stroke="var\(--chain0\)"/g)).toBe(2);
  });
});
