/**
 * Count: add to the number that is the value of a resource.
 */
import * as options from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { added } from '../../terminal/value-changes.js';
import { ValueCommand, changeFlags } from '../../terminal/value-command.js';
import { hexOfValue, textOfValue } from '../../terminal/values.js';

export default class LvbIncr extends ValueCommand {
  static override summary = 'Add to the number that is the value of a resource';
  static override usage = 'lvb incr NAME [--by N] [-n | -w TIME]';
  static override description = prose`
    Takes the resource in EX, which waits for whoever holds it, adds, writes, and prints the new number. However many
    do it at the same time, each gets a number of its own. No value counts as 0. Numbers are decimal and exact, and
    may be as long as the value block. A value that is no number is left alone (exit code 108).

    As with dlm lvb set, the node keeps the value until dlm lvb drop.`;
  static override examples = [
    { description: 'A number that nobody else has', command: 'ticket=$(<%= config.bin %> lvb incr tickets)' },
    { description: 'Take ten away, or give up after a second', command: '<%= config.bin %> lvb incr stock --by=-10 -w 1' },
  ];
  static override args = { name: options.nameArg };
  static override flags = {
    by: options.bigFlag({ helpValue: 'N', summary: 'what to add, 1 if not given; --by=-5 takes away' }),
    ...options.allowInvalidFlag,
    ...changeFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LvbIncr);
    const target = this.targetOf([args.name], flags);
    const { space, change } = await this.reachValue(target, flags);
    const terms = { shown: target.shown, room: space.valueLength, allowInvalid: flags['allow-invalid'] };
    const value = await change((found) => added(found, flags.by ?? 1n, terms));
    this.print(textOfValue(value));
    return { resource: target.shown, value: hexOfValue(value), text: textOfValue(value) };
  }
}
