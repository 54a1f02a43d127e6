/** Our side of `bpc bench small-models`, in a process of its own: V8 specialises code for what a process has run. */
import { jsRuntime } from '@bpc/compiler';
import { packageVersion } from '../../runtime-choice/optional-package.js';
import { smallModels } from '../small-models/models.js';
import { errorOf, type SmallModelTask, smallModelSubjects } from '../small-models/task.js';
import { runSubject, serve } from './serve.js';

runSubject(async (argument) => {
  const task = argument as SmallModelTask;
  const subject = smallModelSubjects[task.subject];
  const runtime = jsRuntime('options' in subject ? subject.options : {});
  const { like, data, logDensity } = smallModels[task.model]();
  const density = await runtime.density(logDensity, like, data);
  const position = Float64Array.from(task.position);
  const gradient = new Float64Array(density.size);
  const evaluate = density.evaluate as (position: Float64Array, gradient: Float64Array) => number;
  const error = errorOf(task, evaluate(position, gradient), gradient);
  if (!(error <= task.expected.tolerance)) throw new Error(`computes something else: relative error ${error}`);
  const block = async () => {
    const begun = performance.now();
    position.set(task.position);
    for (let i = 0; i < task.calls; i++) {
      evaluate(position, gradient);
      // Every call depends on the one before, as in a chain.
      position[0] = (position[0] as number) + 1e-9 * (gradient[0] as number);
    }
    return performance.now() - begun;
  };
  // Until V8 has optimised everything: it starts with what is hot, on another thread.
  const warm = performance.now() + 1000;
  while (performance.now() < warm) await block();
  await serve(block, packageVersion('@bpc/compiler'));
  await runtime.dispose();
});
