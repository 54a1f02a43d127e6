import type { Graph } from '../../ir/index.js';
import { sizeOf } from '../../ir/shape.js';
import { lowering } from './context.js';
import { fusedProgram } from './fusion.js';
import { shapedLoops } from './loop-shapes.js';
import { materialize } from './materialize.js';
import { isSmall } from './plan.js';
import type { LoopProgram } from './program.js';

/**
 * A graph as loops over arrays and scalars between them.
 *
 * Small tensors become scalars; element-wise chains, short sums and products are written out where they are used. What
 * remains are loops, ordered by level (the longest chain of results a loop needs); loops of one level and one extent are
 * fused into one pass.
 */
export function lowerGraph(graph: Graph): LoopProgram {
  const lower = lowering(graph);
  for (const node of lower.plan.order) {
    if (node.op === 'Input' || node.op === 'Const') continue;
    if (lower.plan.isStored(node)) materialize(lower, node);
    // In order, so that no chain of scalars recurses deeply.
    else if (isSmall(node) && !isCheapView(node.op)) {
      for (let k = 0; k < sizeOf(node.shape); k++) lower.scalar(node, k);
    }
  }
  const outputs = graph.outputs.map((node, position) => {
    const size = sizeOf(node.shape);
    const direct = lower.storages.some((storage) => storage.kind === 'output' && storage.position === position);
    if (direct) return { size };
    if (isSmall(node)) return { size, scalars: Array.from({ length: size }, (_, k) => lower.scalar(node, k)) };
    return { size, copy: lower.inMemory(node) };
  });
  const items = shapedLoops(lower.x, lower.items).sort((a, b) => a.level - b.level);
  const inputSizes = graph.inputs.map((node) => sizeOf(node.shape));
  return fusedProgram({ storages: lower.storages, items, outputs, inputSizes, fixed: graph.fixed ?? [] });
}

// Views of small tensors are resolved when their elements are used, if ever.
const isCheapView = (op: string): boolean => ['Broadcast', 'Reshape', 'Slice', 'Transpose', 'Reverse', 'Concat', 'Pad'].includes(op);
