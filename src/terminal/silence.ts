/**
 * Nothing is left that could still happen, and the command is not done: better a
 * wrong end than a quiet one.
 */
import { report } from './report.js';

/** Do the work; should the process run out of things to wait for before it is done, say so. */
export async function notInSilence<Result>(work: () => Promise<Result>): Promise<Result> {
  process.once('beforeExit', complain);
  try {
    return await work();
  } finally {
    process.off('beforeExit', complain);
  }
}

function complain(): void {
  process.exitCode = report(new Error('the command waits for something that can no longer come'), false);
}
