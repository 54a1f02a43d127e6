/**
 * The URL of a task's module beside the caller's, in whichever language the caller runs: compiled, or TypeScript sources
 * under a test runner.
 */
export function moduleUrl(relative: string, caller: string): string {
  const { href } = new URL(relative, caller);
  return caller.endsWith('.ts') ? href.replace(/\.js$/, '.ts') : href;
}

/** What a compiled worker imports for a task's module: the build of a source file, which it could not run itself. */
export const builtModule = (module: string): string =>
  module.endsWith('.ts') ? module.replace('/src/', '/dist/').replace(/\.ts$/, '.js') : module;
