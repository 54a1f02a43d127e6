// Models for threads, which import what is built.
import { target as define, positive, real, sghmc } from '@bpc/samplers';
import { add, div, log, mul, square, sub, sum } from '@tensorflow/tfjs-core';

export const target = define({
  parameters: { mu: real(), tau: positive(), z: real([8]) },
  data: { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] },
  logDensity: ({ mu, tau, z }, { y, sigma }) => {
    const theta = add(mu, mul(tau, z));
    const terms = [square(div(sub(y, theta), sigma)), square(z), square(div(mu, 5)), square(div(tau, 5))];
    return terms.map((x) => mul(sum(x), -0.5)).reduce((a, b) => add(a, b));
  },
  derived: ({ mu, tau, z }) => ({ theta: add(mu, mul(tau, z)) }),
});

let made = 0;

/** Counts how often this thread makes it: `count` is a derived quantity. */
export const counted = async ({ scale }) => {
  made += 1;
  const count = made;
  return define({
    parameters: { x: real() },
    logDensity: ({ x }) => mul(square(div(x, scale)), -0.5),
    derived: ({ x }) => ({ count: add(mul(0, x), count) }),
  });
};

export const langevin = ({ logDensity }) => sghmc({ logDensity, stepSize: 0.05, friction: 0.3 });

export const notATarget = { parameters: 3 };
export const throwing = () => {
  throw new Error('no such data set');
};
let asked = 0;

/** Throws when it is asked first. */
export const throwingOnce = () => {
  asked += 1;
  if (asked === 1) throw new Error('not yet');
  return target;
};
export const notFinite = define({ parameters: { x: real() }, logDensity: ({ x }) => mul(x, Number.NaN) });

/** Only defined right of 0. */
export const halfLine = define({ parameters: { x: real() }, logDensity: ({ x }) => sub(log(x), x) });

/** Ends its thread while chains are advanced. */
export const dying = () => {
  setTimeout(() => process.exit(7), 100);
  return target;
};
export const failingLater = () => {
  setTimeout(() => {
    throw new Error('out of luck');
  }, 100);
  return target;
};
