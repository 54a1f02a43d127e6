import { ConfigError } from '@bpc/core';
import { checkEvaluation } from './evaluation.js';
import { methodOfPreset } from './presets/index.js';
import type { MethodName, RunConfig } from './schema.js';

const refuse = (message: string, remedy: string): never => {
  throw new ConfigError(message, remedy);
};

/** Methods whose inner steps start at an earlier snapshot than the expert they are compared with. */
const needEpochsAhead: readonly MethodName[] = ['bpc-fkl', 'bpc-w'];

function checkEpochs({ method, startEpochRange: [first, last], expertEpochs, epochsAhead }: RunConfig): void {
  if (epochsAhead === 0 && needEpochsAhead.includes(method)) {
    refuse(
      `epochsAhead is 0, but ${method} compares the inner steps with an expert that was trained further, expected an integer >= 1`,
      'pass --epochs-ahead 1 or more',
    );
  }
  if (epochsAhead > expertEpochs) {
    refuse(
      `epochsAhead is ${epochsAhead}, but experts are trained for ${expertEpochs} epochs`,
      `pass --epochs-ahead ${expertEpochs} or less, or --expert-epochs ${epochsAhead} or more`,
    );
  }
  if (last + epochsAhead <= expertEpochs) return;
  const most = expertEpochs - epochsAhead;
  const ahead = epochsAhead === 0 ? '' : ` and the expert is ${epochsAhead} ${epochsAhead === 1 ? 'epoch' : 'epochs'} ahead`;
  refuse(
    `startEpochRange ends at epoch ${last}${ahead}, but experts are trained for ${expertEpochs} epochs`,
    `pass --start-epoch-range ${Math.min(first, most)}-${most} or --expert-epochs ${last + epochsAhead}`,
  );
}

function checkMethod({ method, preset, reduction, temperature, persistent, stepSizeLearningRate, draws }: RunConfig): void {
  if (methodOfPreset(preset) !== method) {
    refuse(
      `preset is '${preset}', which is for method ${methodOfPreset(preset)}, but method is '${method}'`,
      `leave --method out, or pass --preset ${preset.startsWith('paper-') ? 'paper' : 'small'}-${method}`,
    );
  }
  if (method === 'psvi' && reduction !== 'sum') {
    refuse(
      "reduction is 'mean', but psvi's weights stand for numbers of data points, expected 'sum'",
      "leave reduction out, or set it to 'sum'",
    );
  }
  if (method === 'bpc-w' && temperature > 0) {
    refuse(
      `temperature is ${temperature}, but bpc-w differentiates through plain gradient steps, expected 0`,
      'pass --temperature 0, or another method',
    );
  }
  if (persistent && method !== 'bpc-cd') {
    refuse(`persistent is true, but ${method} has no chain to continue`, 'leave --persistent out, or pass --method bpc-cd');
  }
  if (stepSizeLearningRate > 0 && method !== 'bpc-w') {
    refuse(
      `stepSizeLearningRate is ${stepSizeLearningRate}, but ${method} does not learn its step size, expected 0`,
      'leave --step-size-learning-rate out, or pass --method bpc-w',
    );
  }
  if ((method === 'bpc-rkl' || method === 'psvi') && draws < 2) {
    refuse(`draws is ${draws}, but ${method} estimates a covariance, expected an integer >= 2`, 'pass --draws 2 or more');
  }
}

/**
 * What settings mean together, each valid by itself.
 *
 * @throws ConfigError naming the options, their values, and the remedy.
 */
export function checkTogether(config: RunConfig): void {
  checkMethod(config);
  checkEpochs(config);
  checkEvaluation(config.evaluation);
}
