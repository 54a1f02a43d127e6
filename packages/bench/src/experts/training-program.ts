import {
  applyUpdates,
  cosineSchedule,
  crossEntropy,
  disposeTree,
  type Network,
  type Runtime,
  sgd,
  type Tree,
  treeMap,
  valueAndGrad,
} from '@bpc/core';
import { add, mean, mul, type Scalar, scalar, sum, type Tensor, zeros } from '@tensorflow/tfjs-core';

/** How a network is trained by stochastic gradient descent. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Constant rate, or a cosine to zero over all epochs. */
  readonly decay: 'constant' | 'cosine';
  readonly augment: string;
}

/** Images and one-hot labels. */
export type Piece = { readonly x: Tensor; readonly y: Tensor };
/**
 * Fresh tensors, owned by the caller. `loss` is the mean over the batch; `logits` are those of each piece before the step, if
 * the program was made to give them.
 */
export type TrainingResult = {
  readonly params: Tree;
  readonly state: readonly Tree[];
  readonly loss: Scalar;
  readonly logits: readonly Tensor[];
};
type Gradient = { readonly grad: Tree; readonly loss: Scalar; readonly logits: readonly Tensor[] };

/** The compiled training step of one network; may serve many trainings. */
export interface TrainingProgram {
  initState(params: Tree): readonly Tree[];
  /** One step on a batch, given in pieces of equal size; borrows everything. */
  step(params: Tree, state: readonly Tree[], pieces: readonly Piece[]): Promise<TrainingResult>;
  dispose(): Promise<void>;
}

interface ProgramOptions {
  readonly network: Network<Tree>;
  readonly runtime: Runtime;
  readonly settings: Pick<TrainingSettings, 'learningRate' | 'momentum' | 'weightDecay' | 'decay'>;
  /** Steps of a whole training, the length of the cosine. */
  readonly totalSteps: number;
  /** Also give the logits that a step is taken from. Default false. */
  readonly logits?: boolean;
}

/**
 * Compiles `v ← μv + g`, `θ ← θ − ηv` with `g = ∇ mean CE + wd·θ`, as PyTorch's SGD.
 *
 * A batch in several pieces accumulates `g` piece by piece, which is the same step up to rounding.
 */
export function trainingProgram({ network, runtime, settings, totalSteps, logits: wanted = false }: ProgramOptions): TrainingProgram {
  const { learningRate, momentum, weightDecay, decay } = settings;
  const optimizer = sgd({
    learningRate: decay === 'cosine' ? cosineSchedule({ peak: learningRate, totalSteps }) : learningRate,
    momentum,
    weightDecay,
  });
  const advance = (params: Tree, state: readonly Tree[], { grad, loss, logits }: Gradient): TrainingResult => {
    const update = optimizer.update(grad, state, params);
    return { params: applyUpdates(params, update.updates), state: update.state, loss, logits };
  };
  // Traced again, but computed once: equal parts of a program are merged.
  const logitsOf = (params: Tree, x: Tensor): Tensor[] => (wanted ? [network.apply(params, x)] : []);
  const whole = runtime.compile((params: Tree, state: readonly Tree[], x: Tensor, y: Tensor): TrainingResult => {
    const { value, grad } = valueAndGrad((p: Tree) => mean(crossEntropy(network.apply(p, x), y)))(params);
    return advance(params, state, { grad, loss: value, logits: logitsOf(params, x) });
  });
  const accumulate = runtime.compile((params: Tree, so: Omit<Gradient, 'logits'>, x: Tensor, y: Tensor, scale: Scalar): Gradient => {
    const { value, grad } = valueAndGrad((p: Tree) => mul(sum(crossEntropy(network.apply(p, x), y)), scale))(params);
    return { grad: treeMap((a, b) => add(a, b as Tensor), so.grad, grad), loss: add(so.loss, value), logits: logitsOf(params, x) };
  });
  const finish = runtime.compile(
    (params: Tree, state: readonly Tree[], { grad, loss }: Omit<Gradient, 'logits'>): TrainingResult =>
      advance(params, state, { grad, loss, logits: [] }),
  );

  async function inPieces(params: Tree, state: readonly Tree[], pieces: readonly Piece[]): Promise<TrainingResult> {
    const points = pieces.reduce((count, { x }) => count + (x.shape[0] ?? 0), 0);
    const scale = scalar(1 / points, 'float32');
    let so: Omit<Gradient, 'logits'> = { grad: treeMap((leaf) => zeros(leaf.shape), params), loss: scalar(0, 'float32') };
    const seen: Tensor[] = [];
    try {
      for (const { x, y } of pieces) {
        const { logits, ...next } = await accumulate(params, so, x, y, scale);
        disposeTree(so);
        so = next;
        seen.push(...logits);
      }
      return { ...(await finish(params, state, so)), logits: seen };
    } catch (error) {
      disposeTree(seen);
      throw error;
    } finally {
      disposeTree(so);
      disposeTree(scale);
    }
  }

  return {
    initState: (params) => optimizer.init(params),
    step(params, state, pieces) {
      const [only, ...rest] = pieces;
      return only === undefined || rest.length > 0 ? inPieces(params, state, pieces) : whole(params, state, only.x, only.y);
    },
    async dispose() {
      for (const program of [whole, accumulate, finish]) await program.dispose();
    },
  };
}
