/**
 * Read the value of a resource.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { inProcessFlags } from '../../terminal/cluster-flags.js';
import * as options from '../../terminal/flags.js';
import { needName } from '../../terminal/names.js';
import { prose } from '../../terminal/prose.js';
import { answered } from '../../terminal/slow-answer.js';
import { notValid } from '../../terminal/value-changes.js';
import { hexOfValue, textOfValue } from '../../terminal/values.js';

export default class LvbGet extends BaseCommand {
  static override summary = 'Print the value of a resource';
  static override usage = 'lvb get NAME [--hex] [--allow-invalid]';
  static override description = prose`
    Prints the value as text, without the zeros at its end and with anything unprintable escaped; with --hex the
    whole value block. A resource without a value and one whose value is not valid have exit codes of their own (85
    and 86). It waits for nobody's lock: the value is read under one in NL, which gets on with every other.

    Where no node runs one is started, as by every command on locks, and knows no value (85); with --no-start that
    is refused (95).`;
  static override examples = [
    '<%= config.bin %> lvb get counter',
    { description: 'The old value, if the last writer died', command: '<%= config.bin %> lvb get counter --allow-invalid' },
  ];
  static override args = { name: options.nameArg };
  static override flags = {
    'allow-invalid': Flags.boolean({ summary: 'print a value also if it is not valid' }),
    hex: Flags.boolean({ summary: 'print the whole value block as hex' }),
    ...options.lockspaceFlag,
    ...options.nameHexFlag,
    ...options.startFlags,
    ...inProcessFlags,
    ...options.quietFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LvbGet);
    const target = needName(args.name === undefined ? [] : [args.name], flags['name-hex']);
    const { client, space } = await this.reachLockspace(flags);
    const about = { what: `the value of ${target.shown}`, lockspace: space.name, status: () => client.status(space.name), note: (words: string) => this.note(words) };
    const lock = await answered(about, space.lock(target.name, { mode: 'NL', flags: ['EXPEDITE'], wantValue: true }));
    const { value, valueState } = lock;
    await lock.unlock();

    if (value === null) throw new DlmError('DLM_NO_VALUE', `${target.shown} has no value`);
    if (valueState === 'invalid' && !flags['allow-invalid']) {
      throw notValid(target.shown);
    }
    if (valueState === 'invalid') this.note(`the value of ${target.shown} is not valid; this is the last one written`);
    this.print(flags.hex ? hexOfValue(value) : textOfValue(value));
    return { resource: target.shown, valueState, value: hexOfValue(value), text: textOfValue(value) };
  }
}
