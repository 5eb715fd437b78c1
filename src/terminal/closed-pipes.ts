/**
 * Whoever reads our output may stop reading: that is no error. That our words for
 * people have no room on a disk is one nobody could be told of; a node goes on
 * although its log cannot be written.
 *
 * A standard stream is made when it is first asked for, which takes a millisecond,
 * and most commands under a lock never ask. So we do not ask either, only to be
 * there when it breaks: the listener is added when somebody else asks.
 */
import { writeSync } from 'node:fs';
import { DlmError } from '../core/index.js';
import { report } from './report.js';

const names = ['stdout', 'stderr'] as const;

/** How long until a pipe that is full is tried again. */
const fullPipeMillis = 10;

/** Call it once, before anything is written. */
export function forgiveClosedPipes(): void {
  for (const name of names) {
    const { get } = Object.getOwnPropertyDescriptor(process, name) ?? {};
    const open = (): NodeJS.WriteStream => {
      const stream = get === undefined ? process[name] : (get.call(process) as NodeJS.WriteStream);
      // Before the listener of oclif, which throws at whatever is no closed pipe.
      stream.prependListener('error', name === 'stdout' ? forgiveClosed : forgiveAll);
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
  process.exit(report(unwritten(error, 'the result could not be written'), false));
}

function forgiveAll(): void {}

/**
 * Write what somebody must have. Throws `DLM_UNWRITTEN`, also where nobody reads any
 * more, with what `consequence` says of it.
 *
 * A standard output that was closed cannot be told from /dev/null: Node puts that
 * in its place before any of our code runs.
 */
export function writeForSure(text: string, consequence: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(1, bytes, written);
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException;
      if (error.code !== 'EAGAIN') throw unwritten(error, consequence);
      // Whoever reads has made the pipe so, and has yet to empty it.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fullPipeMillis);
    }
  }
}

function unwritten(error: NodeJS.ErrnoException, what: string): DlmError {
  return new DlmError('DLM_UNWRITTEN', `${what}: ${error.code ?? error.message}`);
}
