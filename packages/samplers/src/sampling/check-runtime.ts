import { ConfigError, type Runtime } from '@bpc/core';

const METHODS = ['compile', 'density', 'mapping', 'describe', 'dispose'] as const;

const isRuntime = (value: object): value is Runtime => {
  const methods: Partial<Record<string, unknown>> = value as Partial<Record<(typeof METHODS)[number], unknown>>;
  return METHODS.every((name) => typeof methods[name] === 'function');
};

/** @throws ConfigError unless `value` has a runtime's functions; `what` names it. */
export function checkRuntime(value: unknown, what = 'runtime'): asserts value is Runtime {
  if (typeof value === 'object' && value !== null && isRuntime(value)) return;
  const promise = typeof value === 'object' && value !== null && 'then' in value;
  throw new ConfigError(
    `${what} is ${promise ? 'a promise' : value === null ? 'null' : typeof value}, expected a Runtime`,
    promise ? 'await it first' : 'pass jsRuntime(), eagerRuntime() or await onnxRuntime({ … })',
  );
}
