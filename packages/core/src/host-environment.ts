import { version_core } from '@tensorflow/tfjs-core';
import type { Metadata } from './checkpoint.js';

type Global = {
  readonly process?: { readonly versions?: { readonly v8?: string }; readonly arch?: string };
  readonly navigator?: { readonly userAgent?: string };
};

/**
 * What besides the runtime decides the last bits of a result: the JavaScript engine (its `Math.exp` may change), the
 * processor architecture and tfjs-core. Told without `node:` modules, so that it works in browsers.
 */
export function hostEnvironment(): Metadata {
  const { process, navigator }: Global = globalThis;
  const engine = process?.versions?.v8 ?? navigator?.userAgent ?? 'unknown';
  return { engine, architecture: process?.arch ?? 'unknown', tfjs: version_core };
}
