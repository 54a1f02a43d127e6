import type { Node } from '@bpc/compiler';
/** The operands of a node with one, two or three inputs. Graph builders guarantee the count; this proves it to TypeScript. */
export declare function inputOf(node: Node): Node;
export declare function inputsOf(node: Node): readonly [Node, Node];
//# sourceMappingURL=operands.d.ts.map