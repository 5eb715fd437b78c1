/**
 * Write the value of a resource, and keep it.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError } from '../../core/index.js';
import * as options from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { needRoom } from '../../terminal/value-changes.js';
import { ValueCommand, changeFlags } from '../../terminal/value-command.js';
import { hexOfValue, valueOfHex, valueOfStdin, valueOfText } from '../../terminal/values.js';

export default class LvbSet extends ValueCommand {
  static override summary = 'Write the value of a resource';
  static override usage = ['lvb set NAME VALUE', 'lvb set NAME --hex HEX', 'lvb set NAME -'];
  static override description = prose`
    Takes the resource in EX, which waits for whoever holds it, and writes the value: VALUE as text, HEX, or with -
    what comes on standard input, byte for byte.

    A value lasts only as long as somebody holds a lock on the resource. So that it stays, the node itself holds one
    in NL, which is in nobody's way; dlm lvb drop takes it back.`;
  static override examples = [
    '<%= config.bin %> lvb set counter 42',
    { description: 'Bytes, from a pipe', command: 'head -c 32 /dev/urandom | <%= config.bin %> lvb set seed -' },
  ];
  static override args = { name: options.nameArg, value: options.wordArg('the value as text, or - for standard input') };
  static override flags = {
    hex: Flags.string({ helpValue: 'HEX', summary: 'the value as hex' }),
    ...changeFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LvbSet);
    const target = this.targetOf([args.name, args.value], flags);
    const [typed, ...others] = target.rest;
    if (others.length > 0 || (typed === undefined) === (flags.hex === undefined)) {
      throw new DlmError('DLM_USAGE', 'one value is needed', 'write: dlm lvb set NAME VALUE, or --hex HEX, or - for standard input');
    }
    const given = flags.hex !== undefined ? valueOfHex(flags.hex) : typed === '-' ? null : valueOfText(typed!);
    const { space, change } = await this.reachValue(target, flags);
    const value = given ?? (await valueOfStdin(space.valueLength));
    needRoom(value, space.valueLength);
    await change(() => value);
    return { resource: target.shown, value: hexOfValue(value) };
  }
}
