/**
 * Standard input and output as the two ends of a node's session.
 *
 * It ends at the end of standard input, when our parent is gone, when nobody reads
 * our output any more, or with the node; and whatever the session held ends then.
 */
import type { Duplex } from 'node:stream';
import { DlmError } from '../core/index.js';

/** How often we look whether our parent is still there: the system does not tell. */
const lookMillis = 250;

/** Returns when the session has ended in good order. Rejects with `DLM_LOST`. */
export async function pipeLines(welcome: string, connection: Duplex): Promise<void> {
  const parent = process.ppid;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    connection.end();
  };
  const timer = setInterval(() => {
    if (process.ppid !== parent) end();
  }, lookMillis).unref();
  process.stdin.on('end', end).on('error', end);
  process.stdout.on('error', end);

  process.stdout.write(`${welcome}\n`);
  const gone = new Promise<void>((resolve) => connection.on('error', () => undefined).on('close', () => resolve()));
  process.stdin.pipe(connection, { end: false });
  connection.pipe(process.stdout);
  await gone;

  clearInterval(timer);
  process.stdin.destroy();
  if (!isOver) throw new DlmError('DLM_LOST', 'the node has ended the session, and whatever it held is lost');
}
