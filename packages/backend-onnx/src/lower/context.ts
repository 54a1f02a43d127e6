import type { Node } from '@bpc/compiler';
import { OnnxGraph } from '../model/onnx-graph.js';
import { type Layout, movesOnlyUnits, storageOrder, TILES } from './layout.js';
import { HOST_LOWERING, type LoweringOptions } from './lowering-options.js';
import { axisLength, range } from './shape.js';

/** Where `tiles` stores N, H, W and C. */
const TO_ROWS = [2, 0, 1, 3] as const;

/** What a lowering sees of the program: values in the layout it wants, and the ONNX graph to append to. */
export class LoweringContext {
  readonly onnx: OnnxGraph;
  /** Values of nodes with several results. */
  readonly results = new Map<Node, readonly string[]>();
  readonly #names = new Map<Node, string>();
  readonly #layouts: ReadonlyMap<Node, Layout>;
  readonly #emit: (node: Node) => string;
  readonly #rectified: ReadonlyMap<Node, Node>;

  /** `emit` lowers one node and returns the name of its value in the node's layout. */
  constructor(
    layouts: ReadonlyMap<Node, Layout>,
    emit: (node: Node, context: LoweringContext) => string,
    readonly options: LoweringOptions = HOST_LOWERING,
    onnx: OnnxGraph = new OnnxGraph(options),
  ) {
    this.onnx = onnx;
    this.#layouts = layouts;
    this.#emit = (node) => emit(node, this);
    this.#rectified = new Map([...layouts.keys()].flatMap((node) => (node.op === 'Relu' ? node.inputs.map((input) => [input, node]) : [])));
  }

  /** The rectification of `node` if the program computes it, so that a step of `node` is the mask of that gradient. */
  rectified(node: Node): Node | undefined {
    return this.#rectified.get(node);
  }

  layoutOf(node: Node): Layout {
    return this.#layouts.get(node) ?? 'rows';
  }

  /** ONNX name of a node's value as it is stored. */
  stored(node: Node): string {
    const known = this.#names.get(node);
    if (known !== undefined) return known;
    const label = this.onnx.label;
    this.onnx.label = `${node.op}#${node.id}`;
    const name = this.#emit(node);
    this.onnx.label = label;
    this.#names.set(node, name);
    this.onnx.describe(name, this.storedShape(node));
    return name;
  }

  /** Shape of a node's value as it is stored. */
  storedShape(node: Node): readonly number[] {
    return node.shape.length === 4 ? storageOrder(this.layoutOf(node)).map((axis) => axisLength(node.shape, axis)) : node.shape;
  }

  /** A node's value from its tiles, [H, W, N, C], as the node is stored. */
  fromTiles(tiles: string, node: Node): string {
    if (this.layoutOf(node) === 'tiles') return tiles;
    const shape = TILES.map((axis) => axisLength(node.shape, axis));
    return movesOnlyUnits(shape, TO_ROWS) ? this.onnx.reshape(tiles, node.shape) : this.onnx.transpose(tiles, TO_ROWS);
  }

  /** Where a logical axis of a node is stored. */
  storedAxis(node: Node, axis: number): number {
    return node.shape.length === 4 ? storageOrder(this.layoutOf(node)).indexOf(axis) : axis;
  }

  /** One entry per logical axis → one per stored axis. */
  storedList<T>(node: Node, list: readonly T[]): T[] {
    const order = node.shape.length === 4 ? storageOrder(this.layoutOf(node)) : range(node.shape.length);
    return order.flatMap((axis) => list.slice(axis, axis + 1));
  }

  /** A node's value with its logical axes in the order `perm`: a reshape where only unit axes move. */
  permuted(node: Node, perm: readonly number[]): string {
    const name = this.stored(node);
    const order = node.shape.length === 4 ? storageOrder(this.layoutOf(node)) : range(node.shape.length);
    const source = order.map((axis) => axisLength(node.shape, axis));
    const moves = perm.map((axis) => order.indexOf(axis));
    if (moves.every((axis, i) => axis === i)) return name;
    if (movesOnlyUnits(source, moves))
      return this.onnx.reshape(
        name,
        moves.map((axis) => axisLength(source, axis)),
      );
    return this.onnx.transpose(name, moves);
  }

  /** A node's value as tfjs sees it. */
  rows(node: Node): string {
    return this.permuted(node, range(node.shape.length));
  }

  /** A node's value as [H, W, N, C]; values of lower rank get the unit axes that broadcasting needs. */
  tiles(node: Node): string {
    const rank = node.shape.length;
    if (rank === 4) return this.permuted(node, TILES);
    if (rank < 2) return this.stored(node);
    const padded = [...Array<number>(4 - rank).fill(1), ...node.shape];
    return this.onnx.reshape(
      this.stored(node),
      TILES.map((axis) => axisLength(padded, axis)),
    );
  }

  inLayout(node: Node, layout: Layout): string {
    return layout === 'tiles' ? this.tiles(node) : this.rows(node);
  }
}
