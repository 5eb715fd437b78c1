/**
 * In the place of @oclif/core/flags: what the commands define their options with.
 *
 * A definition stays what it is, a row of words; line.ts reads it.
 */

type Row = Readonly<Record<string, unknown>>;

export function boolean(own: Row = {}): Row {
  return { ...own, type: 'boolean' };
}

/** A kind of option with a value, to be defined further by those who use it. */
export function custom(defaults: Row = {}): (own?: Row) => Row {
  return (own = {}) => ({ ...defaults, ...own, type: 'option' });
}

export const string = custom();
