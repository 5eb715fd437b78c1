/**
 * How a recovery went, step by step.
 */
import { writeFileSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import { DlmError, reasonOf } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { chosenRecoveries, chosenRecovery, recoveryFlags } from '../../terminal/chosen-recovery.js';
import { wordArg } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { recoveryPage, recoveryPicture } from '../../terminal/recovery-picture.js';
import { recordLines, recordsTable } from '../../terminal/recovery-words.js';

export default class RecoverShow extends BaseCommand {
  static override summary = 'Show how a recovery went: every step, when, and who was slowest';
  static override usage = ['recover show [GENERATION] [--lockspace NAME] [--html FILE | --svg FILE]', 'recover show --list [--lockspace NAME]'];
  static override description = prose`
    The node keeps a record of each recovery of each lockspace; it is read from its folder, so no node need run. Without
    a generation the last recovery after a failure is shown. With --html the record becomes a page with a picture of it, with --svg
    the picture alone.`;
  static override examples = [
    '<%= config.bin %> recover show',
    '<%= config.bin %> recover show --list',
    { description: 'A page to send to somebody', command: '<%= config.bin %> recover show --html recovery.html' },
  ];
  static override args = { generation: wordArg('the generation; the last recovery after a failure if not given') };
  static override flags = {
    ...recoveryFlags,
    list: Flags.boolean({ summary: 'a line for each recovery that is kept', exclusive: ['html', 'svg'] }),
    html: Flags.string({ helpValue: 'FILE', summary: 'write a page with a picture of it', exclusive: ['svg'] }),
    svg: Flags.string({ helpValue: 'FILE', summary: 'write the picture alone' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(RecoverShow);
    const choice = { generation: args.generation, lockspace: flags.lockspace };
    if (flags.list) {
      const records = await chosenRecoveries(choice);
      this.print(recordsTable(records));
      return records;
    }
    const records = await chosenRecovery(choice);
    const [first] = records;
    if (flags.html !== undefined) this.#write(flags.html, recoveryPage(records));
    else if (flags.svg !== undefined) this.#write(flags.svg, recoveryPicture(first!));
    else for (const line of records.flatMap((record, index) => [...(index === 0 ? [] : ['']), ...recordLines(record)])) this.print(line);
    return records;
  }

  #write(path: string, text: string): void {
    try {
      writeFileSync(path, text);
    } catch (error) {
      throw new DlmError('DLM_UNWRITTEN', `cannot write ${path}: ${reasonOf(error)}`, 'name another file');
    }
    this.note(`written to ${path}`);
  }
}
