import { type HostTree, InterruptedError } from '@bpc/core';
import type { Draws } from '../draws.js';
import type { ParameterTree } from '../transforms/parameter.js';
import { checkOptions } from './check-options.js';
import { type DrawCollector, drawCollector } from './collect-draws.js';
import type { Draw, Sampling } from './draw.js';
import { type DrawOrder, drawOrder } from './iterate-draws.js';
import type { SampleOptions } from './options.js';
import { runSampling } from './run.js';

/**
 * Draws from a distribution: `chains` Markov chains of `warmup` transitions, which tune themselves and are no sample, and then
 * `draws` draws each.
 *
 * Iterate it to see every draw (in order: draw n of all chains, then draw n + 1), or `collect()` them into typed arrays. Chain
 * c draws from `foldIn(key, c)` and its transition t from `foldIn` of that with t: draws are the same in this thread or in any
 * number of workers, however the work is cut into pieces, stopped, and resumed from a checkpoint.
 *
 * *Warm-up*: Stan's, of nuts and of algorithms that keep `stepSize` and `inverseMass` in their state and report `acceptance` (hmc,
 * mala): a search for a step size, dual averaging, variances after windows that double. Others only run.
 *
 * *Starts* are `start`, or draws from U(−2, 2) of every unconstrained number, at most 100 per chain until log density and gradient
 * are finite. *Supports*: chains move on unconstrained values, by the log density plus the log-Jacobians; draws are reported on
 * their supports, with derived quantities. *Aborts*: `collect()` resolves with the draws that all chains have
 * (`interrupted: true`), iterating throws InterruptedError after them; both save first, given a checkpoint. *Memory*: nothing
 * is kept per transition but kept draws, and iterating keeps none.
 *
 * *Statistics* of nuts, per draw: `logDensity` (of the unconstrained values, log-Jacobians included), `acceptance`, `stepSize`,
 * `depth`, `leapfrogSteps`, `divergent`, `maxDepthReached`, `energy`; of tensor algorithms the scalars of their info. With
 * `thin`, `divergent` and `maxDepthReached` tell of any transition since the draw before, `leapfrogSteps` of all.
 *
 * @throws ConfigError or ShapeError on bad options, at once; and from the run: ConfigError or ShapeError if the log density
 * gives no scalar, or a module no target; MissingKernelError if the runtime lacks an operation; NonFiniteError if a chain finds
 * no start, or loses its position; CheckpointError if the saved run is another one; StorageError if saving fails;
 * InterruptedError from iterating after an abort.
 * @example
 * ```ts
 * import { div, log, mul, square, sub, sum, type Scalar } from '@tensorflow/tfjs-core';
 * import { key, positive, real, sample } from '@bpc/samplers';
 * const draws = await sample({
 *   parameters: { mu: real(), sigma: positive() },
 *   data: { y: [2.1, 1.9, 2.4, 1.7, 2.2] },
 *   // y ~ N(mu, sigma), mu ~ N(0, 1), sigma ~ Exponential(1)
 *   logDensity({ mu, sigma }, { y }) {
 *     const likelihood = sub(mul(sum(square(div(sub(y, mu), sigma))), -0.5), mul(log(sigma), 5));
 *     return sub(sub(likelihood, mul(square(mu), 0.5)), sigma) as Scalar;
 *   },
 *   key: key(1),
 *   warmup: 300,
 *   draws: 300,
 * }).collect();
 * console.log(draws.values['mu']?.length); // 4 chains of 300
 * ```
 */
export function sample<const S extends ParameterTree, const H extends HostTree = HostTree>(options: SampleOptions<S, H>): Sampling {
  // Only names and shapes of the tree are used from here on, whatever its type.
  const plain = options as unknown as SampleOptions;
  const checked = checkOptions(plain);
  const { settings } = checked;

  async function* draws(): AsyncGenerator<Draw, void, void> {
    let order: DrawOrder | undefined;
    for await (const event of runSampling(plain, checked)) {
      switch (event.kind) {
        case 'begin':
          order = drawOrder(event.layout, event.statistics, settings);
          break;
        case 'rows':
          for (const { chain, rows } of event.rows) order?.add(chain, rows);
          if (order !== undefined) yield* order.ready();
          break;
        case 'end':
          if (!event.interrupted) break;
          throw new InterruptedError(
            `interrupted after ${event.steps} transitions of all chains`,
            event.steps,
            checked.checkpoint === undefined ? 'pass a checkpoint to be able to resume' : 'run it again to resume',
            { cause: plain.signal?.reason },
          );
        default:
          event satisfies never;
      }
    }
  }

  return {
    [Symbol.asyncIterator]: draws,
    async collect() {
      let collector: DrawCollector | undefined;
      let result: Draws | undefined;
      for await (const event of runSampling(plain, checked)) {
        switch (event.kind) {
          case 'begin':
            collector = drawCollector(event.layout, event.statistics, settings);
            break;
          case 'rows':
            for (const { chain, rows } of event.rows) collector?.add(chain, rows);
            break;
          case 'end':
            result = collector?.finish({ interrupted: event.interrupted, provenance: event.provenance });
            break;
          default:
            event satisfies never;
        }
      }
      // A run ends normally only after its last event.
      return result as Draws;
    },
  };
}
