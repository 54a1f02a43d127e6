import type { Key } from './random.js';
import type { Tree } from './tree.js';

/**
 * One protocol for samplers and coreset learners (the shape of BlackJAX).
 *
 * `step` is pure: it returns fresh tensors and never modifies or disposes its arguments, so that it can be compiled.
 */
export interface Algorithm<Position extends Tree, State extends Tree, Info extends Tree> {
  /** The state from which the first step starts; fresh tensors. `data` is for algorithms whose state depends on it, as of `step`. */
  init(position: Position, key: Key, data?: Tree): State;
  /** One transition; `data` is whatever the algorithm needs besides its state (a mini-batch, say). */
  step(key: Key, state: State, data?: Tree): readonly [State, Info];
}

/**
 * An algorithm that decides as it goes (NUTS): the same protocol on the host, where a step may wait for a gradient.
 */
export interface HostAlgorithm<Position, State, Info> {
  init(position: Position, key: Key): State | Promise<State>;
  step(key: Key, state: State): readonly [State, Info] | Promise<readonly [State, Info]>;
}
