/**
 * Tell stories: what happens to real nodes, message by message.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { DlmError, describeStoryDifferences, escapeText, tellStory, type StoryReport } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { counted } from '../../terminal/describe.js';
import { prose } from '../../terminal/prose.js';

export default class SimScenario extends BaseCommand {
  static override summary = 'Tell a story with real nodes, and see whether it ends as it is written';
  static override usage = 'sim scenario FILE… [--update]';
  static override description = prose`
    FILE holds blocks of commands (lock, convert, crash, view, hold, …), each followed by a line of four dashes and
    what it prints; docs/stories.md explains them. The nodes are the real ones: they speak through the real codec and
    sessions, in virtual time, in an order that the story decides.

    Of one file the whole transcript is printed, of several a line each. Where something else was printed than stands
    there, both are shown, and the exit code is 1. It is 1, too, if an expect was in vain, and then --update writes
    nothing.`;
  static override examples = [
    '<%= config.bin %> sim scenario test/scenario/03-new-master-known-to-one-only.txt',
    '<%= config.bin %> sim scenario test/scenario/*.txt',
  ];
  static override args = {
    file: Args.string({ description: 'a story', required: true, multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    update: Flags.boolean({ summary: 'write what was printed into the files' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SimScenario);
    const told = args.file.map((file) => ({ file, ...storyIn(file) }));
    for (const { file, report, text } of told) {
      const isRight = report.isSame || (flags.update && report.failure === null);
      if (flags.update && isRight && text !== report.rewritten) writeFileSync(file, report.rewritten);
      this.#print(file, report, told.length === 1, isRight);
      if (!isRight) process.exitCode = 1;
    }
    const same = told.filter(({ report }) => report.isSame).length;
    const expectations = told.reduce((sum, { report }) => sum + report.expectations, 0);
    this.print(`${told.length === 1 ? '1 story' : `${told.length} stories`}, ${same} as written, ${counted(expectations, 'thing')} expected`);
    return told.map(({ file, report: { isSame, failure, blocks } }) => ({ file, isSame, failure, blocks }));
  }

  #print(file: string, report: StoryReport, isOnly: boolean, isRight: boolean): void {
    if (isOnly) this.print(report.rewritten.trimEnd());
    else this.print(`${escapeText(file)}: ${isRight ? 'as written' : (report.failure ?? 'different')}`);
    if (isRight) return;
    this.print('--- what stands there   +++ what was printed');
    for (const line of describeStoryDifferences(report)) this.print(line);
  }
}

function storyIn(file: string): { text: string; report: StoryReport } {
  try {
    const text = readFileSync(file, 'utf8');
    return { text, report: tellStory(text) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DlmError('DLM_USAGE', `cannot tell ${escapeText(file)}: ${code === 'ENOENT' ? 'there is no such file' : message}`, 'what a story looks like is in docs/stories.md');
  }
}
