/**
 * In the place of @oclif/core/flags: what the commands define their options with.
 *
 * A definition stays what it is, a row of words; line.ts reads it.
 */
import { Unsure } from '../line.js';

type Row = Readonly<Record<string, unknown>>;

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export function boolean(own: Row = {}): Row {
  return { ...own, type: 'boolean' };
}

/** A kind of option with a value, to be defined further by those who use it. */
export function custom(defaults: Row = {}): (own?: Row) => Row {
  return (own = {}) => ({ ...defaults, ...own, type: 'option' });
}

export const string = custom();

export const integer = custom({
  parse: (text: string, _context: unknown, { min, max }: Bounds) => {
    const number = Number.parseInt(text, 10);
    if (!/^-?\d+$/.test(text) || number < (min ?? -Infinity) || number > (max ?? Infinity)) throw new Unsure();
    return number;
  },
});
