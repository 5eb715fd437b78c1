/**
 * Does anybody still read what this process prints?
 *
 * That a pipe has lost its reader is told to whoever writes into it, and to nobody else:
 * who follows something and has nothing to say for hours would stay for hours. So the
 * system is asked, by poll(2), which Node does only while something is unwritten; hence
 * koffi. It is asked about standard output and about nothing else, and nothing is decided.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

const standardOutput = 1;
/** POLLERR: a pipe without a reader. POLLHUP: a socket, or a terminal, whose other side is closed. */
const isOver = 0x8 | 0x10;
/** `struct pollfd`: the descriptor, what is asked for, what is found. */
const entryBytes = 8;
const foundAt = 6;

/** How to ask; null where koffi is not installed: then it shows with the next line that is written. */
export function outputReader(): (() => boolean) | null {
  const poll = pollOfSystem();
  if (poll === null) return null;
  const entry = Buffer.alloc(entryBytes);
  entry.writeInt32LE(standardOutput, 0);
  return () => poll(entry, 1, 0) <= 0 || (entry.readUInt16LE(foundAt) & isOver) === 0;
}

function pollOfSystem(): ((entries: Buffer, count: number, millis: number) => number) | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    return koffi.load(null).func('int poll(void *entries, unsigned long count, int millis)');
  } catch {
    return null;
  }
}
