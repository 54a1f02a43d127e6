import { isParameter, type Parameter, type ParameterTree, type Target } from '@bpc/samplers';
import { scalar } from '@tensorflow/tfjs-core';

/** The same values, and a log-Jacobian of zero: the mistake that samplers must not make. */
export const flawed = (parameter: Parameter): Parameter => ({
  ...parameter,
  constrain: (u) => ({ value: parameter.constrain(u).value, logJacobian: scalar(0) }),
});

/** A target whose parameters of these names forget their log-Jacobians. */
export function withoutJacobian(target: Target, names: readonly string[]): Target {
  const { parameters } = target;
  if (isParameter(parameters)) return { ...target, parameters: flawed(parameters) };
  const change = ([name, child]: [string, ParameterTree]) => [name, names.includes(name) && isParameter(child) ? flawed(child) : child];
  return { ...target, parameters: Object.fromEntries(Object.entries(parameters).map(change)) };
}
