/**
 * How a recovery went, step by step.
 */
import { writeFileSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import { DlmError, reasonOf, type RecoveryRecord } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { chosenRecoveries, chosenRecovery, recoveryFlags, runningRecoveries } from '../../terminal/chosen-recovery.js';
import { wordArg } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { recoveryPage, recoveryPicture } from '../../terminal/recovery-picture.js';
import { recordLines, recordsTable } from '../../terminal/recovery-words.js';
import { isDlmError } from '../../terminal/report.js';

export default class RecoverShow extends BaseCommand {
  static override summary = 'Show how a recovery went: every step, when, and who was slowest';
  static override usage = ['recover show [GENERATION] [--lockspace NAME] [--html FILE | --svg FILE]', 'recover show --list [--lockspace NAME]'];
  static override description = prose`
    The node keeps a record of each recovery of each lockspace; it is read from its folder, so no node need run. Without
    a generation the last recovery after a failure is shown, and below it what still goes on, if a node runs: how far it
    is, and what it waits for; with --json its totalMillis is null, and waits tells the rest. With --html the record
    becomes a page with a picture of it, with --svg the picture alone.`;
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
    if (flags.html === undefined && flags.svg === undefined) return this.#show(choice);
    const records = await chosenRecovery(choice);
    if (flags.html !== undefined) this.#write(flags.html, recoveryPage(records));
    else this.#write(flags.svg!, recoveryPicture(records[0]!));
    return records;
  }

  /** Those that have ended, and below them those that go on. */
  async #show(choice: Parameters<typeof chosenRecovery>[0]): Promise<readonly RecoveryRecord[]> {
    const present = await runningRecoveries(choice, (words) => this.note(words));
    const ended = await chosenRecovery(choice).catch((error: unknown) => {
      if (present.length === 0 || !isDlmError(error, 'DLM_NO_RECORD')) throw error;
      return [];
    });
    // What ended while we asked is kept by now.
    const running = present.filter((one) => !ended.some(({ lockspace, at }) => lockspace === one.lockspace && at === one.at));
    const pages = [...ended.map((record) => recordLines(record)), ...running.map((record) => recordLines(record, record.waits))];
    for (const line of pages.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))) this.print(line);
    return [...ended, ...running];
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
