/**
 * Live through a recorded life of a real node again.
 */
import { readFileSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import { DlmError, loadReplay } from '../../core/index.js';
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
    for (const turn of replay(readJournal(args.file))) {
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

function readJournal(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DlmError('DLM_USAGE', `cannot read ${path}: ${(error as Error).message}`, 'name a file that dlm node join --record has written');
  }
}
