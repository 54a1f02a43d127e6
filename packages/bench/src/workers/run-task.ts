import type { TaskFunction, TaskSpec, TaskTools } from './protocol.js';

/** Imports a task's module and runs its function in this thread. */
export async function runTask<Options, Shared, Result>(task: TaskSpec<Options>, tools: TaskTools<Shared>): Promise<Result> {
  const module: Record<string, unknown> = await import(task.module);
  const candidate = module[task.export];
  if (typeof candidate !== 'function') throw new Error(`${task.module} exports no function '${task.export}'`);
  return await (candidate as TaskFunction<Options, Shared, Result>)(task.options, tools);
}
