import { describe, expect, it } from 'vitest';
import { earliestFirst } from '../src/model/schedule.js';

const node = (output: string, ...inputs: string[]) => ({
  name: output,
  op: 'Sum',
  domain: '',
  inputs,
  outputs: [output],
  attributes: {},
});

describe('the order of nodes', () => {
  // Forward a → b → c, backward d → e; gradients of the layers: first needs e, second d, third c.
  const nodes = [
    node('a', 'x'),
    node('b', 'a'),
    node('c', 'b'),
    node('d', 'c'),
    node('e', 'd'),
    node('first', 'e', 'x'),
    node('second', 'd', 'a'),
    node('third', 'c', 'b'),
  ];
  const order = earliestFirst(nodes, ({ inputs }) => inputs).map(({ name }) => name);

  it('stays topological and complete', () => {
    expect([...order].sort()).toEqual(nodes.map(({ name }) => name).sort());
    for (const { name, inputs } of nodes) {
      for (const input of inputs.filter((each) => each !== 'x')) expect(order.indexOf(input)).toBeLessThan(order.indexOf(name));
    }
  });

  it('ends with what nothing depends on, what needs the least last of all', () => {
    expect(order.slice(-3)).toEqual(['first', 'second', 'third']);
  });
});
