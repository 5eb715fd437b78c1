/**
 * Whole numbers as people type them.
 *
 * The library's own kind of number complains in words of its own; these say what
 * was typed, why it will not do, and what will.
 */
import { DlmError, escapeText } from '../core/index.js';

/** A whole number within bounds. Throws `DLM_USAGE`. */
export function parseWhole(text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : null;
  if (number !== null && number >= min && number <= max) return number;
  const why = number === null ? 'is not a whole number' : number < min ? `is too small: ${min} is the least` : `is too great: ${max} is the most`;
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
  throw new DlmError('DLM_USAGE', `'${escapeText(text)}' ${why}`, `give a whole number, ${range}`);
}

/** A whole number of any size, exactly. Throws `DLM_USAGE`. */
export function parseBig(text: string): bigint {
  const number = bigIn(text);
  if (number !== null) return number;
  throw new DlmError('DLM_USAGE', `'${escapeText(text)}' is not a whole number`, 'give one such as 1, 100 or -5');
}

/** The number that a text is, if it is one. */
export function bigIn(text: string): bigint | null {
  return /^[+-]?\d+$/.test(text) ? BigInt(text) : null;
}
