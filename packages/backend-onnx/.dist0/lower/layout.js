import { BINARY, COMPARE, REDUCE, UNARY } from '@bpc/compiler';
/** Logical axes (N, H, W, C) in the order in which `tiles` stores them. */
export const TILES = [1, 2, 0, 3];
export const ROWS = [0, 1, 2, 3];
export const storageOrder = (layout) => (layout === 'tiles' ? TILES : ROWS);
const SPATIAL = new Set(['Conv', 'ConvInputGrad', 'AvgPool', 'AvgPoolGrad', 'MaxPool', 'MaxPoolGrad', 'MaxPoolGather']);
// Operations that only need to know which axis is which, so they keep whatever layout their operands have.
const FOLLOWING = new Set([
    ...UNARY, ...BINARY, ...COMPARE, ...REDUCE, 'Select', 'Cast', 'Broadcast', 'Slice', 'Pad', 'Concat', 'Reverse', 'CumSum',
]);
/** Chooses a layout for every node. `nodes` must be in topological order. */
export function assignLayouts(nodes) {
    const layouts = new Map();
    for (const node of nodes) {
        const tiled = node.shape.length === 4 &&
            (SPATIAL.has(node.op) ||
                (FOLLOWING.has(node.op) && node.inputs.some((input) => input.shape.length === 4 && layouts.get(input) === 'tiles')));
        layouts.set(node, tiled ? 'tiles' : 'rows');
    }
    return layouts;
}
/** True if reordering the axes of `shape` to `perm` moves nothing but axes of length 1, so that it is a reshape. */
export function movesOnlyUnits(shape, perm) {
    const moved = perm.filter((axis) => shape[axis] !== 1);
    return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0));
}
//# sourceMappingURL=layout.js.map