import type { Runtime } from '@bpc/core';
import { eagerRuntime } from '@bpc/core';

/** Runtimes on which results must agree with the fixtures. */
export const runtimes: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [['tfjs cpu, eagerly', () => eagerRuntime()]];
