/**
 * Whoever was ended by a signal must be seen to have been: a shell goes on with its
 * script after a program that ended with 130, and stops after one that INT has ended.
 *
 * So a command that was interrupted first does all that it has to do, and as the very
 * last thing sends itself the signal, with nobody left to catch it. Shells call that
 * 128 and its number, too. Where the signal cannot end us (the first process of a
 * container), that exit code is what is seen.
 */

/** What asks a program to end; to die of any other would leave a core behind, or look like an order to drop everything. */
const requests: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** End of this signal if it is one that asks for an end: after all else that was arranged for the end of the process. */
export function endOf(signal: NodeJS.Signals | null): void {
  if (signal === null || !requests.includes(signal)) return;
  process.once('exit', () => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
