import { beforeEach } from 'vitest';
import skipped from './skipped.json' with { type: 'json' };

/** Tests that a backend cannot pass, as patterns of full names, with the reason: {@link file://./skipped.json}. */
const known: Readonly<Record<string, readonly { readonly pattern: string; readonly reason: string }[]>> = skipped;
const { BPC_TEST_BACKEND: backend, BPC_TEST_PROVIDER: provider } = process.env;
const here = known[provider === undefined ? (backend ?? '') : `onnx:${provider}`] ?? [];

beforeEach(({ task, skip }) => {
  const names: string[] = [task.name];
  for (let suite = task.suite; suite !== undefined; suite = suite.suite) if (suite.name !== '') names.unshift(suite.name);
  const found = here.find(({ pattern }) => new RegExp(pattern).test(names.join(' > ')));
  if (found !== undefined) skip(found.reason);
});
