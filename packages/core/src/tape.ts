import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from '@tensorflow/tfjs-core';
import { MissingGradientError } from './errors.js';

// The engine's types are not exported by name; its state is public and is all that these functions touch.
type TapeNode = ReturnType<typeof engine>['state']['activeTape'][number];

/**
 * Runs `f` while nothing is recorded for differentiation: to every enclosing gradient its result is a constant.
 *
 * Gradients taken inside `f` work and release their own memory at once, however deep `f` is nested.
 */
export function untaped<R>(f: () => R): R {
  const { state } = engine();
  const { gradientDepth, activeTape } = state;
  state.gradientDepth = 0;
  state.activeTape = [];
  try {
    return f();
  } finally {
    state.gradientDepth = gradientDepth;
    state.activeTape = activeTape;
  }
}

/**
 * Disposes what a gradient that threw has left on the tape: saved tensors are kept alive by hand, so that no `tidy` of
 * the caller would ever free them. Does nothing while an enclosing gradient still needs the tape.
 */
export function releaseTape(): void {
  const { state } = engine();
  if (state.gradientDepth > 0 || state.activeTape == null) return;
  for (const node of state.activeTape) for (const tensor of node.saved ?? []) tensor.dispose();
  state.activeTape = [];
}

/**
 * Throws unless every kernel between `inputs` and `output` has a gradient rule.
 *
 * Runs before back-propagation, because a rule that is found missing half-way leaks what was computed until then.
 *
 * @throws MissingGradientError naming the kernels.
 */
export function assertDifferentiable(inputs: readonly Tensor[], output: Tensor): void {
  const tape = engine().state.activeTape;
  const reached = new Set(inputs.map((input) => input.id));
  const forward: TapeNode[] = [];
  for (const node of tape) {
    if (!Object.values(node.inputs).some((input) => reached.has(input.id))) continue;
    forward.push(node);
    for (const result of node.outputs) reached.add(result.id);
  }
  const needed = new Set([output.id]);
  const missing = new Set<string>();
  for (const node of forward.reverse()) {
    if (!node.outputs.some((result) => needed.has(result.id))) continue;
    for (const input of Object.values(node.inputs)) needed.add(input.id);
    if (node.gradient == null) missing.add(node.kernelName);
  }
  if (missing.size > 0) {
    throw new MissingGradientError(
      `no gradient rule that is safe at this order for: ${[...missing].join(', ')}`,
      'compose the function from other operations (see ops.ts), or stop the gradient there with stopGradient',
    );
  }
}
