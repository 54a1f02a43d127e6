import { ProtobufWriter } from './protobuf.js';

/** ONNX `TensorProto.DataType` numbers. */
export const ELEMENT_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPE;

/** Attribute value: integers, lists of integers and text as they are; floats wrapped, since 1 is also an integer. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | { readonly graph: Subgraph };

/** The body of a control-flow operation. It may use values of the graphs around it by name. */
export interface Subgraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A named, typed graph input or output. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

export interface OnnxModel extends Subgraph {
  readonly initializers: readonly Initializer[];
}

// 18 is the first operator set in which every reduction takes its axes as an input and scatters can add.
const OPERATOR_SET = 18;
const IR_VERSION = 8;

function writeAttribute(writer: ProtobufWriter, name: string, value: Attribute): void {
  writer.string(1, name);
  if (typeof value === 'number') {
    writer.integer(3, value);
    writer.integer(20, 2);
  } else if (typeof value === 'string') {
    writer.string(4, value);
    writer.integer(20, 3);
  } else if ('float' in value) {
    writer.float(2, value.float);
    writer.integer(20, 1);
  } else if ('graph' in value) {
    writer.message(6, (graph) => writeGraph(graph, { ...value.graph, initializers: [] }));
    writer.integer(20, 5);
  } else {
    for (const item of value) writer.integer(8, item);
    writer.integer(20, 7);
  }
}

function writeNode(writer: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.name);
  writer.string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, (attribute) => writeAttribute(attribute, name, value));
  }
  if (node.domain !== '') writer.string(7, node.domain);
}

function writeValueInfo(writer: ProtobufWriter, value: ValueInfo): void {
  writer.string(1, value.name);
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, ELEMENT_TYPE[value.type]);
      tensor.message(2, (shape) => {
        for (const size of value.shape) shape.message(1, (dimension) => dimension.integer(1, size));
      });
    }),
  );
}

function writeInitializer(writer: ProtobufWriter, tensor: Initializer): void {
  for (const size of tensor.shape) writer.integer(1, size);
  writer.integer(2, ELEMENT_TYPE[tensor.type]);
  writer.string(8, tensor.name);
  writer.bytes(9, tensor.bytes);
}

function writeGraph(graph: ProtobufWriter, model: OnnxModel): void {
  for (const node of model.nodes) graph.message(1, (inner) => writeNode(inner, node));
  graph.string(2, model.name);
  for (const tensor of model.initializers) graph.message(5, (inner) => writeInitializer(inner, tensor));
  for (const value of model.inputs) graph.message(11, (inner) => writeValueInfo(inner, value));
  for (const value of model.outputs) graph.message(12, (inner) => writeValueInfo(inner, value));
}

/** An ONNX `ModelProto`, ready for `InferenceSession.create`. */
export function serializeModel(model: OnnxModel): Uint8Array {
  const writer = new ProtobufWriter();
  writer.integer(1, IR_VERSION);
  for (const [domain, version] of [
    ['', OPERATOR_SET],
    ['com.microsoft', 1],
  ] as const) {
    writer.message(8, (set) => {
      set.string(1, domain);
      set.integer(2, version);
    });
  }
  writer.message(7, (graph) => writeGraph(graph, model));
  return writer.finish();
}
