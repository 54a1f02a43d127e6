// Type-checks all fences in one TypeScript program, as a user's files outside the packages would be.
import { join } from 'node:path';
import ts from 'typescript';

/** @typedef {import('./extract.mjs').Fence} Fence */
/** @typedef {Fence & { module: string }} FenceModule a fence with the path of its TypeScript file */

/**
 * Compiles the modules into `outDir` and returns the errors, each with its place in the documentation and its fence, if it is in one.
 *
 * @param {readonly FenceModule[]} fences
 * @param {{ root: string, outDir: string }} options
 * @returns {{ message: string, fence?: FenceModule }[]}
 */
export function compileFences(fences, { root, outDir }) {
  const base = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile).config;
  const { options } = ts.convertCompilerOptionsFromJson(base.compilerOptions, root);
  const program = ts.createProgram(
    fences.map(({ module }) => module),
    {
      ...options,
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      // A snippet shows what a call returns without using it.
      noUnusedLocals: false,
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
      rootDir: join(outDir, '..', 'src'),
      outDir,
    },
  );
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n  ');
    const fence = fences.find(
      ({ module }) => diagnostic.file !== undefined && ts.sys.resolvePath(module) === ts.sys.resolvePath(diagnostic.file.fileName),
    );
    if (fence === undefined || diagnostic.file === undefined) return { message: `${diagnostic.file?.fileName ?? 'fences'}: ${message}` };
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
    return { message: `${fence.file}:${fence.line + line}: ${message}`, fence };
  });
}
