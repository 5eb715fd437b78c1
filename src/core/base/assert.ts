/**
 * Assertions: facts the author is sure of. One that fails is a bug of ours,
 * never bad input; bad input is refused with a `Refusal` or a `DlmError`.
 */

export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

export function assert(fact: boolean, sentence: string): asserts fact {
  if (!fact) throw new AssertionFailed(sentence);
}

/** The compiler proves that this is never reached; so does the running program. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unexpected ${String(value)}`);
}
