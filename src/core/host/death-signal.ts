/**
 * Asking the system for a signal when a parent dies.
 *
 * setpriv(1) can ask, and then becomes the command it is given. Older ones and those
 * of small systems do not know the option and would end instead, so we look whether
 * the program contains the word; to run it for that would take longer than to run
 * `true` under a lock.
 */
import { readFileSync } from 'node:fs';

const option = '--pdeathsig';
const places = ['/usr/bin/setpriv', '/bin/setpriv'];

/** The words to put before a command, so that it gets a TERM when we die; none where that cannot be had. */
export function wordsForDeathSignal(): string[] {
  const program = places.find((place) => knowsOption(place));
  return program === undefined ? [] : [program, option, 'TERM', '--'];
}

function knowsOption(place: string): boolean {
  try {
    return readFileSync(place).includes(option.slice(2));
  } catch {
    return false;
  }
}
