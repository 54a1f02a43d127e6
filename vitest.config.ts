import { defineConfig } from 'vitest/config';

// Tests run on the TypeScript sources, so that an edit needs no build; what must be built says so (tooling/test).
const conditions = ['@bpc/source', 'module', 'node', 'import', 'default'];
const SLOW = '**/*.slow.test.ts';

export default defineConfig(({ mode }) => {
  const slow = mode === 'slow';
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: slow
        ? [`packages/*/test/${SLOW}`, `tooling/test/${SLOW}`]
        : ['{packages,examples}/*/test/**/*.test.ts', 'tooling/test/**/*.test.ts'],
      exclude: slow ? ['**/node_modules/**'] : ['**/node_modules/**', SLOW],
      testTimeout: slow ? 900_000 : 60_000,
      hookTimeout: slow ? 900_000 : 60_000,
      pool: 'forks',
    },
  };
});
