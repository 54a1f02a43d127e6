/** The operands of a node with one, two or three inputs. Graph builders guarantee the count; this proves it to TypeScript. */
export function inputOf(node) {
    return inputAt(node, 0);
}
export function inputsOf(node) {
    return [inputAt(node, 0), inputAt(node, 1)];
}
function inputAt(node, index) {
    const input = node.inputs[index];
    if (input === undefined)
        throw new RangeError(`${node.op} #${node.id} has ${node.inputs.length} inputs, expected more than ${index}`);
    return input;
}
//# sourceMappingURL=operands.js.map