/**
 * Live through a recorded life of a real node again.
 */
import { readFileSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import { DlmError, escapeText, loadReplay } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';

export default class SimReplay extends BaseCommand {
  static override summary = 'Live through the recorded life of a node again, and see whether it does the same';
  static override usage = 'sim replay FILE [--show]';
  static override description = prose`
    FILE is what dlm node join --record FILE has written: everything that happened to the node, and a mark of
    everything it asked for. The exit code is 0 if every mark is the same, else 1.`;
  static override examples = ['<%= config.bin %> sim replay node-1.journal', '<%= config.bin %> sim replay node-1.journal --show | less'];
  static override args = { file: options.neededWordArg('what was recorded') };
  static override flags = { show: Flags.boolean({ summary: 'print every turn: what happened, and what was asked for' }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SimReplay);
    const { replay } = await loadReplay();
    let turns = 0;
    const different: number[] = [];
    for (const turn of refused(args.file, replay(readJournal(args.file)))) {
      turns += 1;
      if (!turn.isSame) different.push(turn.line);
      if (flags.show || !turn.isSame) {
        this.print(`${turn.line} at ${turn.now} ms${turn.isSame ? '' : ' DIFFERENT'}: ${turn.input}`);
        for (const effect of turn.effects) this.print(`    ${effect}`);
      }
    }
    this.print(`${turns} turns, ${different.length} different`);
    if (different.length > 0) process.exitCode = 1;
    return { turns, different };
  }
}

const hint = 'name a file that dlm node join --record has written';

function readJournal(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DlmError('DLM_USAGE', `cannot read ${escapeText(path)}: ${code === 'ENOENT' ? 'there is no such file' : message}`, hint);
  }
}

/** The same turns; at a line that is none, the caller is told which. */
function* refused<Turn extends { readonly line: number }>(path: string, turns: Iterable<Turn>): Generator<Turn> {
  let line = 0;
  try {
    for (const turn of turns) {
      line = turn.line;
      yield turn;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DlmError('DLM_USAGE', `${escapeText(path)} is not the journal of a node, or is damaged: line ${line + 1} cannot be read`, hint);
  }
}
