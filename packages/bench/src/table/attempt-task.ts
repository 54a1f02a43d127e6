import { InterruptedError, StorageError } from '@bpc/core';
import { builtModule } from '../workers/module-url.js';
import type { TaskSpec, TaskTools } from '../workers/protocol.js';
import { runTask } from '../workers/run-task.js';
import { type Failure, failureOf } from './failure.js';

/** How a task of one cell ended. */
export type Attempt = { readonly value: unknown } | { readonly failure: Failure };

/** A task whose failure is a result. */
export interface AttemptOptions {
  readonly task: TaskSpec<unknown>;
}

/**
 * Runs a task whose failure concerns its own cells only, so that the rest of the table goes on.
 *
 * @throws InterruptedError, and StorageError: a full disk is nobody's cell.
 */
export async function attemptTask({ task }: AttemptOptions, tools: TaskTools<unknown>): Promise<Attempt> {
  // The pool translates the module of the task it runs, which is this one.
  const module = import.meta.url.endsWith('.ts') ? task.module : builtModule(task.module);
  try {
    return { value: await runTask({ ...task, module }, tools) };
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof StorageError) throw error;
    return { failure: failureOf(error) };
  }
}
