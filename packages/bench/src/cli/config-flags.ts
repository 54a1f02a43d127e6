import { type Command, Option } from 'commander';
import {
  type ConfigSources,
  datasetNames,
  defaultDataset,
  defaultIpc,
  defaultMethod,
  flagName,
  initialiserNames,
  methodNames,
  type Overrides,
  optimizerNames,
  preset,
  presetNames,
  presetOf,
  type RunConfig,
  readConfigFile,
  resolveConfig,
} from '../config/index.js';
import { preprocessNames } from '../data/preprocess.js';

type Kind = 'number' | 'text' | 'switch' | 'range';

/** One setting on the command line: its path in the configuration, what it takes, what it does. */
interface Setting {
  readonly path: string;
  readonly kind: Kind;
  readonly help: string;
  readonly placeholder?: string;
}

/** Settings under a heading of `--help`. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting[];
}

const number = (path: string, help: string): Setting => ({ path, kind: 'number', help });
const words = (path: string, help: string, placeholder = 'name'): Setting => ({ path, kind: 'text', help, placeholder });
const toggle = (path: string, help: string): Setting => ({ path, kind: 'switch', help });

/** What is learned from. */
export const taskSettings: SettingGroup = {
  title: 'Task:',
  settings: [
    words('dataset', `digits (no download), ${datasetNames.filter((name) => name !== 'digits').join(', ')}`),
    words('preprocess', `how images are prepared: ${preprocessNames.join(', ')}`),
    words('method', `how the coreset is learned: ${methodNames.join(', ')}`),
    words('preset', `settings to start from: ${presetNames.join(', ')}`),
    number('ipc', 'images per class'),
    words('init', `how the images start: ${initialiserNames.join(', ')}`),
    number('seeds', 'repetitions; each has its own draw, initialisation, learning and evaluation'),
    number('seed', 'the first seed'),
    words('network', 'convnet or mlp'),
    number('width', 'channels of the convnet, units of the mlp'),
    number('depth', 'blocks of the convnet, hidden layers of the mlp'),
  ],
};

/** How the coreset is learned. */
export const learningSettings: SettingGroup = {
  title: 'Learning:',
  settings: [
    number('steps', 'outer steps'),
    words('optimizer', `how the coreset moves: ${optimizerNames.join(' or ')}`),
    number('imageLearningRate', 'learning rate of the images'),
    number('momentum', 'momentum of sgd'),
    number('innerSteps', 'k, the inner steps on the coreset'),
    number('stepSize', 'λ of the inner steps'),
    number('stepSizeLearningRate', 'learning rate of λ itself (bpc-w); 0 keeps it'),
    number('temperature', 'T of the inner steps; 0 is plain gradient descent'),
    number('sigma', 'standard deviation of the noise on network weights'),
    words('reduction', 'energy of the coreset: mean or sum over its points'),
    number('draws', 'K, draws that an estimate averages over (bpc-fkl, bpc-rkl, psvi)'),
    number('realBatch', 'real images per estimate (bpc-rkl, psvi)'),
    number('epochsAhead', 'epochs of expert training that the inner steps should replace (bpc-fkl, bpc-rkl, bpc-w)'),
    toggle('persistent', 'continue the negative chain from step to step (bpc-cd)'),
    words('augment', 'none, or groups such as color_crop_cutout_flip_scale_rotate', 'strategy'),
    number('augmentDraws', 'augmentation draws per step; 1 shares one between the inner steps and the loss'),
    number('expertsPerStep', 'experts averaged per step'),
    toggle('learnLabels', 'learn the labels too'),
    number('labelLearningRate', 'learning rate of the labels'),
    toggle('learnWeights', 'learn the weights too'),
    number('weightLearningRate', 'learning rate of the weights'),
    number('checkpointEvery', 'steps between checkpoints'),
  ],
};

/** How the experts are trained. */
export const expertSettings: SettingGroup = {
  title: 'Experts:',
  settings: [
    number('experts', 'networks trained on real images'),
    number('expertEpochs', 'epochs of each'),
    number('expertImages', 'training images that experts see'),
    number('expertBatch', 'images per step'),
    number('expertLearningRate', 'learning rate'),
    number('expertMomentum', 'momentum'),
    words('expertAugment', 'augmentation of their batches', 'strategy'),
    {
      path: 'startEpochRange',
      kind: 'range',
      help: 'epochs whose weights may be drawn, first-last; 0 is the initialisation',
      placeholder: 'a-b',
    },
  ],
};

/** How predictions are drawn from a coreset. */
export const evaluationSettings: SettingGroup = {
  title: 'Evaluation (tuned on random coresets and frozen; change it only with a reason):',
  settings: [
    words('evaluation.protocol', 'posterior, or point-estimate: networks scored one by one, as the code released with BPC-CD does'),
    words('evaluation.sampler', 'what draws from the posterior, whatever the method: sgld, sghmc or hmc'),
    number('evaluation.chains', 'networks started afresh; averaged, or scored one by one'),
    number('evaluation.steps', 'training steps before the sampler starts; epochs of point estimates'),
    number('evaluation.burnIn', 'transitions before the first draw; those of hmc tune its step size'),
    number('evaluation.draws', 'draws per chain'),
    number('evaluation.thinning', 'transitions between draws'),
    number('evaluation.stepSize', 'learning rate, and λ of sgld'),
    number('evaluation.samplerStepSize', 'λ of sgld, ε of sghmc and hmc; left out, λ is the learning rate and ε a step as long as sgld’s'),
    number('evaluation.momentum', 'momentum before the sampler starts'),
    words('evaluation.decay', 'learning rate: constant, cosine, or halfway (a tenth after half of the epochs)'),
    number('evaluation.momentumDecay', 'share of the momentum that a step of sghmc loses'),
    number('evaluation.leapfrogSteps', 'leapfrog steps per transition of hmc'),
    number('evaluation.temperature', 'T of the draws; 0 makes an ensemble'),
    number('evaluation.priorPrecision', 'precision of the Gaussian prior on weights; the weight decay of point estimates'),
    words('evaluation.reduction', 'energy: mean or sum over the points'),
    words('evaluation.augment', 'augmentation of the coreset; never inside a trajectory of hmc', 'strategy'),
    number('evaluation.batch', 'points per step of point estimates; posteriors take the whole coreset'),
    number(
      'evaluation.pointsAtOnce',
      'most points whose loss is computed at once; left out, all; 25 is faster from 100 points on and changes sums by rounding',
    ),
    words('scoreOn', 'test, or validation while settings are being chosen', 'split'),
  ],
};

/** How the ceiling is trained. */
export const fullSettings: SettingGroup = {
  title: 'Ceiling (the same network on all training images):',
  settings: [
    number('full.networks', 'networks averaged'),
    number('full.epochs', 'epochs'),
    number('full.batch', 'images per step'),
    number('full.learningRate', 'learning rate'),
    number('full.momentum', 'momentum'),
    number('full.weightDecay', 'weight decay'),
    words('full.decay', 'constant or cosine learning rate'),
    words('full.augment', 'augmentation', 'strategy'),
  ],
};

/** Where it runs. */
export const machineSettings: SettingGroup = {
  title: 'Machine:',
  settings: [
    words('runtime', 'onnx:cpu (the default where it loads), js, tfjs:cpu, tfjs:wasm, … (see bpc doctor)'),
    number('workers', 'threads that share the tasks; 0 uses the main thread only'),
    number('threads', 'threads inside each task'),
  ],
};

// Text that is no number stays text, so that the refusal shows what was typed.
const readNumber = (text: string): unknown => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));

function readRange(text: string): unknown {
  const match = /^(\d+)-(\d+)$/.exec(text);
  return match === null ? text : [Number(match[1]), Number(match[2])];
}

const attribute = (path: string): string =>
  flagName(path)
    .slice(2)
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function defaultOf(path: string): string {
  const defaults: unknown = {
    dataset: defaultDataset,
    method: defaultMethod,
    preset: presetOf(defaultMethod),
    ...preset(defaultDataset, defaultIpc),
  };
  const value = path
    .split('.')
    .reduce<unknown>((node, name) => (typeof node === 'object' && node !== null ? Reflect.get(node, name) : undefined), defaults);
  if (value === undefined || typeof value === 'boolean') return '';
  return ` [${Array.isArray(value) ? value.join('-') : String(value)}]`;
}

/** Adds the flags of some groups, and `--config`, to a command. */
export function addConfigFlags(command: Command, groups: readonly SettingGroup[]): Command {
  command.addOption(new Option('--config <file>', 'settings from a JSON or YAML file; flags override them').helpGroup('Task:'));
  for (const { title, settings } of groups) {
    for (const { path, kind, help, placeholder } of settings) {
      const flag = flagName(path);
      const text = `${help}${defaultOf(path)}`;
      if (kind === 'switch') {
        command.addOption(new Option(flag, text).helpGroup(title));
        command.addOption(new Option(flag.replace(/^--/, '--no-')).helpGroup(title).hideHelp());
        command.setOptionValueWithSource(attribute(path), undefined, 'default');
      } else {
        const option = new Option(`${flag} <${placeholder ?? 'n'}>`, text).helpGroup(title);
        if (kind === 'number') option.argParser(readNumber);
        if (kind === 'range') option.argParser(readRange);
        command.addOption(option);
      }
    }
  }
  return command;
}

/** The settings that were given as flags, nested like the configuration. */
function flagOverrides(options: Overrides, groups: readonly SettingGroup[]): Overrides {
  const overrides: Record<string, unknown> = {};
  for (const { path } of groups.flatMap((group) => group.settings)) {
    const value = options[attribute(path)];
    if (value === undefined) continue;
    const [section, name] = path.split('.');
    if (name === undefined) overrides[path] = value;
    else if (section !== undefined) overrides[section] = { ...(overrides[section] as object | undefined), [name]: value };
  }
  return overrides;
}

/** Where the settings of a command's parsed options come from; `record` is what flags and file are laid over. */
export function sourcesFromFlags(options: Overrides, groups: readonly SettingGroup[], record: Overrides = {}): ConfigSources {
  const flags = flagOverrides(options, groups);
  const path = options['config'];
  if (typeof path !== 'string') return { record, flags };
  return { record, flags, file: { path, values: readConfigFile(path) } };
}

/** The validated configuration from a command's parsed options. */
export const configFromFlags = (options: Overrides, groups: readonly SettingGroup[], record: Overrides = {}): RunConfig =>
  resolveConfig(sourcesFromFlags(options, groups, record));
