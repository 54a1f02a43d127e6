import { ConfigError, type Json } from '@bpc/core';
import { type Parameter, real, type Target } from '@bpc/samplers';
import type { Scalar } from '@tensorflow/tfjs-core';
import { type SmallModelName, smallModelNames, smallModels } from '../small-models/models.js';

/**
 * A small model as a target on the whole space, so that all samplers see one density in the same coordinates. Threads find it
 * by the name of this module.
 *
 * @throws ConfigError for a name that is no model's.
 */
export function modelTarget(name: Json): Target {
  const known = smallModelNames.find((each): each is SmallModelName => each === name);
  if (known === undefined) throw new ConfigError(`there is no model ${JSON.stringify(name)}`, `choose from ${smallModelNames.join(', ')}`);
  const { like, data, logDensity } = smallModels[known]();
  const parameters: Record<string, Parameter> = {};
  for (const [path, leaf] of Object.entries(like)) parameters[path] = leaf instanceof Float64Array ? real([leaf.length]) : real();
  // Tensors are named like the parameters and the data, which a table of models cannot say.
  return { parameters, data, logDensity: logDensity as (params: never, given: never) => Scalar };
}
