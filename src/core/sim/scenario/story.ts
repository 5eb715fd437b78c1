/**
 * One story, told by the real nodes: what it prints, and whether that is what stands in
 * its file.
 */
import { parseScript, writeScript } from './script.js';
import { Stage } from './stage.js';
import { perform } from './verbs.js';

export interface StoryReport {
  /** Block by block, what stands in the file and what was printed. */
  readonly blocks: readonly { readonly source: readonly string[]; readonly expected: readonly string[]; readonly printed: readonly string[] }[];
  /** Why it was not told to its end; null: it was. */
  readonly failure: string | null;
  readonly isSame: boolean;
  /** How many lines claim that something has happened. */
  readonly expectations: number;
  /** The file with what was printed. */
  readonly rewritten: string;
}

/** Tell a story. Throws a `SyntaxError` if its text cannot be read at all. */
export function tellStory(text: string): StoryReport {
  const blocks = parseScript(text);
  const stage = new Stage();
  const printed: string[][] = [];
  let failure: string | null = null;
  for (const { commands } of blocks) {
    stage.lines = [];
    printed.push(stage.lines);
    if (failure !== null) continue;
    try {
      for (const command of commands) perform(stage, command);
    } catch (error) {
      failure = (error as Error).message;
      stage.say(`the story ends here: ${failure}`);
    }
  }
  const told = blocks.map(({ source, expected }, index) => ({ source, expected, printed: printed[index]! }));
  return {
    blocks: told,
    failure,
    isSame: failure === null && told.every((block) => block.expected.join('\n') === block.printed.join('\n')),
    expectations: blocks.reduce((sum, { commands }) => sum + commands.filter(({ verb }) => verb === 'expect').length, 0),
    rewritten: writeScript(blocks, printed),
  };
}

/** The blocks that printed something else, as lines with - for what stands in the file and + for what came. */
export function describeDifferences({ blocks }: StoryReport): string[] {
  return blocks.flatMap(({ source, expected, printed }) => {
    if (expected.join('\n') === printed.join('\n')) return [];
    return [...source.map((line) => `  ${line}`), ...diff(expected, printed)];
  });
}

/** Line by line by their longest common part. */
function diff(expected: readonly string[], printed: readonly string[]): string[] {
  const lengths = Array.from({ length: expected.length + 1 }, () => new Array<number>(printed.length + 1).fill(0));
  for (let one = expected.length - 1; one >= 0; one -= 1) {
    for (let other = printed.length - 1; other >= 0; other -= 1) {
      const isSame = expected[one] === printed[other];
      lengths[one]![other] = isSame ? lengths[one + 1]![other + 1]! + 1 : Math.max(lengths[one + 1]![other]!, lengths[one]![other + 1]!);
    }
  }
  const lines: string[] = [];
  let one = 0;
  let other = 0;
  while (one < expected.length || other < printed.length) {
    if (one < expected.length && other < printed.length && expected[one] === printed[other]) {
      lines.push(`  ${expected[one]}`);
      one += 1;
      other += 1;
    } else if (other >= printed.length || (one < expected.length && lengths[one + 1]![other]! >= lengths[one]![other + 1]!)) {
      lines.push(`- ${expected[one]}`);
      one += 1;
    } else {
      lines.push(`+ ${printed[other]}`);
      other += 1;
    }
  }
  return lines;
}
