/**
 * A recorded life of a real node, lived through again: the same inputs at the same
 * times must make it ask for the same.
 *
 * If they do not, the program is not the one that was recorded, or something in it
 * depends on more than its inputs.
 */
import { millis } from '../base/ids.js';
import { markOf, readHead, readLine, showEffect } from '../node/journal.js';
import { DlmNode } from '../node/node.js';

/** One turn. */
export interface ReplayedTurn {
  /** The line of the file, from 2 on. */
  readonly line: number;
  readonly now: number;
  readonly input: string;
  readonly effects: readonly string[];
  /** Did the node ask for the same as it was recorded to? */
  readonly isSame: boolean;
}

/** Cookies are numbers here already. */
const asIs = (cookie: unknown): number => cookie as number;

/** Turn by turn. Throws a `SyntaxError` at what is no journal; a last line that is not whole is left out. */
export function* replay(text: string): Generator<ReplayedTurn> {
  const [head = '', ...lines] = text.split('\n');
  const node = new DlmNode(readHead(head).config);
  for (const [index, line] of lines.slice(0, -1).entries()) {
    const { now, input, mark } = readLine(line);
    const effects = node.step(millis(now), input);
    yield {
      line: index + 2,
      now,
      input: JSON.stringify(input),
      effects: effects.map((effect) => showEffect(effect, asIs)),
      isSame: markOf(effects, asIs) === mark,
    };
  }
}
