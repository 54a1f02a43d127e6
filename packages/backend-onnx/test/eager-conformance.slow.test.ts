import { expect, it } from 'vitest';
import excluded from '../conformance/excluded.json' with { type: 'json' };
import { conformance } from './eager-conformance.js';

it("passes tfjs-core's conformance suite, but for what excluded.json names", async () => {
  const { status, result } = await conformance();
  expect(result.failed).toEqual([]);
  expect(result.forbidden).toEqual([]);
  expect(result.passedOnBackend).toBeGreaterThanOrEqual(3500);
  const reasons = [...excluded.kernels, ...excluded.specs].map(({ reason }) => reason);
  // A reason that excludes nothing any more is to be removed.
  expect(Object.keys(result.excluded).sort()).toEqual(reasons.sort());
  const calls = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
  expect(calls(result.fallback)).toBeLessThan(calls(result.lowered) / 20);
  expect(status).toBe(0);
});
