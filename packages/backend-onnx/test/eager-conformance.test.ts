import { expect, it } from 'vitest';
import { conformance } from './eager-conformance.js';

it("passes a part of tfjs-core's conformance suite, by lowerings, and runs nothing that is excluded", async () => {
  const parts = ['maxPool ', 'conv2d ', 'logSumExp ', 'gather ', 'raggedGather '];
  const { status, result } = await conformance(...parts.flatMap((part) => ['--grep', part]));
  expect(result.failed).toEqual([]);
  expect(result.forbidden).toEqual([]);
  expect(result.passedOnBackend).toBeGreaterThanOrEqual(100);
  for (const kernel of ['MaxPool', 'Conv2D', 'Max', 'GatherV2']) expect(result.lowered[kernel]).toBeGreaterThanOrEqual(5);
  expect(Object.entries(result.excluded)).toContainEqual([expect.stringContaining('ragged'), 12]);
  expect(status).toBe(0);
});

it('is no success when nothing ran', async () => {
  const { status, result } = await conformance('--grep', 'no spec has this name');
  expect(result).toMatchObject({ passed: 0, failed: [], excluded: {} });
  expect(status).toBe(1);
});
