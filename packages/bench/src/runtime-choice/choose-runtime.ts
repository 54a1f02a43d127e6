import { openRuntime, packageOf } from './open-runtime.js';
import { type ImportModule, importModule, importOptional } from './optional-package.js';
import { parseRuntimeName, type RuntimeName } from './runtime-name.js';

interface ChoiceOptions {
  /** What the user asked for, if anything. */
  readonly wanted: string | undefined;
  /** Tells the user about a fallback. */
  readonly announce: (message: string) => void;
  readonly load?: ImportModule;
  readonly open?: typeof openRuntime;
}

/**
 * Decides where programs run, before any work starts.
 *
 * Without a wish: ONNX Runtime on the CPU where it loads, else the js runtime, and that is announced. A wish is fulfilled or
 * refused, never replaced.
 *
 * @throws ConfigError for an unknown name, a package that cannot be loaded, or a device that does not start.
 */
export async function chooseRuntime({ wanted, announce, load = importModule, open = openRuntime }: ChoiceOptions): Promise<RuntimeName> {
  if (wanted !== undefined) {
    const name = parseRuntimeName(wanted);
    const needed = packageOf(name);
    if (needed !== undefined) await importOptional(needed, wanted, load);
    // A package may be there without the device or driver it needs, which only starting it shows.
    if (name.family === 'onnx' && name.provider !== 'cpu') await (await open({ name, threads: 1, load })).dispose();
    return name;
  }
  try {
    await load('onnxruntime-node');
    return { family: 'onnx', provider: 'cpu' };
  } catch {
    announce(
      'onnxruntime-node cannot be loaded here, so the js runtime is used: results agree, but networks are several times slower (npm install onnxruntime-node)',
    );
    return { family: 'js' };
  }
}
