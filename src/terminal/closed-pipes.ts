/**
 * Whoever reads our output may stop reading: that is no error. That our words for
 * people have no room on a disk is one nobody could be told of; a node goes on
 * although its log cannot be written.
 *
 * A standard stream is made when it is first asked for, which takes a millisecond,
 * and most commands under a lock never ask. So we do not ask either, only to be
 * there when it breaks: the listener is added when somebody else asks.
 */

const names = ['stdout', 'stderr'] as const;

/** As sysexits(3) has it. */
const cannotWriteExit = 74;

/** Call it once, before anything is written. */
export function forgiveClosedPipes(): void {
  for (const name of names) {
    const { get } = Object.getOwnPropertyDescriptor(process, name) ?? {};
    const open = (): NodeJS.WriteStream => {
      const stream = get === undefined ? process[name] : (get.call(process) as NodeJS.WriteStream);
      stream.on('error', name === 'stdout' ? forgiveClosed : forgiveAll);
      Object.defineProperty(process, name, { configurable: true, enumerable: true, value: stream });
      return stream;
    };
    if (get === undefined) open();
    else Object.defineProperty(process, name, { configurable: true, enumerable: true, get: open });
  }
}

/** A full disk is no closed pipe: whoever reads the file later must not take half a result for a whole one. */
function forgiveClosed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`dlm: the result could not be written: ${error.code ?? error.message}\nhint: see where standard output goes\n`);
  process.exit(cannotWriteExit);
}

function forgiveAll(): void {}
