/**
 * Speak with the node over standard input and output, in lines of JSON.
 */
import { commandOf, openSession } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { quietFlag, startFlags } from '../terminal/flags.js';
import { pipeLines } from '../terminal/line-pipe.js';
import { prose } from '../terminal/prose.js';

export default class Session extends BaseCommand {
  static override summary = 'Speak with the node in lines of JSON, from any language';
  static override usage = 'session [--no-start]';
  static override description = prose`
    For programs that take many locks and are not written for Node: a session with the node over standard input and
    output, one JSON object a line in both directions. The locks belong to the session and end with it: at the end of
    standard input, when the program that started dlm session ends, or when nobody reads its output.

    The first line is the node's welcome; hello has been said. docs/protocol.md has the requests and the events,
    docs/session.md an example in Python and one in bash. If the node goes away the exit code is 84.`;
  static override examples = [
    `echo '{"id":1,"op":"status"}' | <%= config.bin %> session`,
    { description: 'A lock as long as a program wants', command: 'coproc LOCKS { <%= config.bin %> session; }' },
  ];
  static override flags = { ...startFlags, ...quietFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Session);
    const holder = { pid: process.ppid, command: commandOf(process.ppid) };
    const { welcome, connection } = await openSession({ start: !flags['no-start'], holder, onStart: (words) => this.noteStart(words) });
    await pipeLines(welcome, connection);
  }
}
