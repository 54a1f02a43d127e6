import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@bpc/source', 'module', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['@bpc/source', 'module', 'node', 'import', 'default'] } },
  test: { include: ['packages/*/test/**/*.test.ts', 'tooling/test/**/*.test.ts'], testTimeout: 60_000, pool: 'forks' },
});
