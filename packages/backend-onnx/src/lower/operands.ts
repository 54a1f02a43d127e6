import type { Node } from '@bpc/compiler';

/** The operands of a node with one, two or three inputs. Graph builders guarantee the count; this proves it to TypeScript. */
export function inputOf(node: Node): Node {
  return inputAt(node, 0);
}

export function inputsOf(node: Node): readonly [Node, Node] {
  return [inputAt(node, 0), inputAt(node, 1)];
}

function inputAt(node: Node, index: number): Node {
  const input = node.inputs[index];
  if (input === undefined) throw new RangeError(`${node.op} #${node.id} has ${node.inputs.length} inputs, expected more than ${index}`);
  return input;
}
