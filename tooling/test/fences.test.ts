import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileFences } from '../fences/compile.mjs';
import { commentFences, markdownFences } from '../fences/extract.mjs';

const root = join(import.meta.dirname, '../..');
mkdirSync(join(root, '.cache'), { recursive: true });
const work = mkdtempSync(join(root, '.cache/fences-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const markdown = ['# Title', '', '```ts', 'const a = 1;', 'a;', '```', '', '- item', '  ```ts no-run', '  while (true);', '  ```'].join(
  '\n',
);

describe('fences of Markdown', () => {
  it('carry their code, their line and whether they run', () => {
    expect(markdownFences('a.md', markdown)).toEqual([
      { file: 'a.md', line: 4, code: 'const a = 1;\na;', run: true },
      { file: 'a.md', line: 10, code: 'while (true);', run: false },
    ]);
  });

  it('that show a file name it, and do not run here', () => {
    expect(markdownFences('a.md', '```ts from=examples/a/main.ts\nx;\n```')).toEqual([
      { file: 'a.md', line: 2, code: 'x;', run: false, from: 'examples/a/main.ts' },
    ]);
  });

  it('in other languages are skipped, with what they show inside', () => {
    expect(markdownFences('a.md', '````md\n```ts\nx\n```\n````\n```bash\nls\n```\n```ts\ny\n```')).toMatchObject([{ code: 'y', line: 10 }]);
  });

  it('that never close are an error with its place', () => {
    expect(() => markdownFences('a.md', 'text\n```ts\nx')).toThrow('a.md:2');
  });
});

describe('fences of doc comments', () => {
  it('lose the stars and keep the indentation and the line', () => {
    const source = [
      'const x = 1;',
      '/**',
      ' * One line.',
      ' *',
      ' * ```ts',
      ' * if (x) {',
      ' *   f();',
      ' * }',
      ' * ```',
      ' */',
      '/* ```ts */',
    ].join('\n');
    expect(commentFences('a.ts', source)).toEqual([{ file: 'a.ts', line: 6, code: 'if (x) {\n  f();\n}', run: true }]);
  });
});

describe('compiling fences', () => {
  it('reports a type error at its line of the documentation, and none for a good fence', () => {
    mkdirSync(join(work, 'src'), { recursive: true });
    const modules = ['const good: number = 1;', 'const fine = 1;\nconst wrong: string = fine;'].map((code, i) => {
      const module = join(work, 'src', `f${i}.ts`);
      writeFileSync(module, `${code}\nexport {};\n`);
      return { file: 'a.md', line: 10 * (i + 1), code, run: true, module };
    });
    const errors = compileFences(modules, { root, outDir: join(work, 'out') });
    expect(errors).toEqual([{ message: "a.md:21: Type 'number' is not assignable to type 'string'.", fence: modules[1] }]);
  });
});
