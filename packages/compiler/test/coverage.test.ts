import { jsRuntime, kernelCoverage } from '@bpc/compiler';
import { ConfigError, MissingKernelError } from '@bpc/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { opTable } from './op-table.js';

await tf.setBackend('cpu');

/** tfjs-core exports the name of every kernel as a constant of (nearly) that name. */
const listed = (): string[] => {
  const exported = Object.entries(tf).flatMap(([name, value]) => (typeof value === 'string' && /^_?[A-Z]/.test(name) ? [value] : []));
  return [...new Set(exported)].filter((name) => /^_?[A-Z][A-Za-z0-9]+$/.test(name));
};

describe('kernelCoverage', () => {
  const { traced, untraced, composed } = kernelCoverage();

  it('decides about every kernel of tfjs-core, once', () => {
    expect(traced.filter((name) => name in untraced)).toEqual([]);
    const decided = [...new Set([...traced, ...Object.keys(untraced), ...composed])];
    // EluGrad and the like are kernels, too; whatever tfjs-core names must be among the decided.
    expect(listed().filter((name) => !decided.includes(name))).toEqual([]);
    expect(decided.filter((name) => !listed().includes(name))).toEqual([]);
  });

  it('lists nothing that the table of operations does not check', async () => {
    const used = new Set<string>();
    for (const { args, run } of opTable) {
      const inputs = args();
      const { kernelNames } = await tf.profile(() => {
        const result = run(...inputs);
        return Array.isArray(result) ? (result[0] as tf.Tensor) : result;
      });
      for (const name of kernelNames) used.add(name);
    }
    expect(traced.filter((name) => !used.has(name) && !composed.includes(name))).toEqual([]);
  });
});

describe('a kernel that programs cannot have', () => {
  it('is named with the target, the function, the reason and the backend that has it, before anything runs', async () => {
    const runtime = jsRuntime();
    const distinct = (x: tf.Tensor) => tf.unique(x).values;
    const error: unknown = await runtime
      .compile(distinct)
      .prepare(tf.tensor1d([1, 1, 2]))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MissingKernelError);
    expect(String(error)).toMatch(/js target has no kernel 'Unique'.*'distinct'.*depends on values.*eagerRuntime\(\).*'cpu'/);
    await runtime.dispose();
  });

  it('cannot be hidden in an operation that reads values: whereAsync is a ConfigError', async () => {
    const runtime = jsRuntime();
    let positions: Promise<unknown> = Promise.resolve();
    const program = runtime.compile((x: tf.Tensor) => {
      positions = tf.whereAsync(tf.greater(x, 0)).catch((thrown: unknown) => thrown);
      return x;
    });
    await program.prepare(tf.tensor1d([1]));
    expect(await positions).toBeInstanceOf(ConfigError);
    await runtime.dispose();
  });
});
