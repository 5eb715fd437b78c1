/**
 * Exchange the value of a resource, if it is the one that is expected.
 */
import * as Flags from '@oclif/core/flags';
import * as options from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { differs, exchangeIn, isAsExpected, needRoom } from '../../terminal/value-changes.js';
import { ValueCommand, changeFlags } from '../../terminal/value-command.js';
import { hexOfValue, textOfValue } from '../../terminal/values.js';

export default class LvbCas extends ValueCommand {
  static override summary = 'Exchange the value of a resource, if it is the one expected';
  static override usage = ['lvb cas NAME EXPECTED NEW [--hex] [-n | -w TIME]', 'lvb cas NAME --absent NEW'];
  static override description = prose`
    Takes the resource in EX, which waits for whoever holds it, compares, and writes NEW if the value is EXPECTED. If
    it is not, the exit code is 107, nothing is written, and the value that is there is printed on standard output,
    as dlm lvb get prints it; if there is none, nothing is printed. With --absent NEW is written if there is no value
    yet.

    As with dlm lvb set, the node keeps the value until dlm lvb drop. Both values are words of the line; there is no
    - for standard input here.`;
  static override examples = [
    { description: 'Hand over, if it is ours to give', command: '<%= config.bin %> lvb cas leader "$HOSTNAME" other-host' },
    { description: 'Be the first, or see who was', command: 'first=$(<%= config.bin %> lvb cas boss --absent "$$" -q) || echo "$first was"' },
  ];
  static override args = {
    name: options.nameArg,
    expected: options.wordArg('the value that must be there, as text; left out with --absent'),
    new: options.wordArg('the value to write, as text'),
  };
  static override flags = {
    absent: Flags.boolean({ summary: 'in place of EXPECTED: there must be no value yet' }),
    hex: Flags.boolean({ summary: 'EXPECTED and NEW are hex, and the value is printed as hex' }),
    ...options.allowInvalidFlag,
    ...changeFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LvbCas);
    const target = this.targetOf([args.name, args.expected, args.new], flags);
    const wanted = exchangeIn(target.rest, flags);
    const { space, change } = await this.reachValue(target, flags);
    for (const value of [wanted.expected, wanted.next]) needRoom(value ?? new Uint8Array(), space.valueLength);

    const terms = { shown: target.shown, room: space.valueLength, allowInvalid: flags['allow-invalid'] };
    const value = await change((found) => {
      if (isAsExpected(found, wanted.expected, terms)) return wanted.next;
      if (found.value !== null) this.print(flags.hex ? hexOfValue(found.value) : textOfValue(found.value));
      throw differs(found, wanted.expected, target.shown, flags.quiet);
    });
    return { resource: target.shown, value: hexOfValue(value), text: textOfValue(value) };
  }
}
