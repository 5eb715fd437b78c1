/**
 * Print the functions with which one shell takes locks over one connection.
 */
import { DlmError, defaultLockspace } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { lockspaceFlag, quietFlag, startFlags, wordArg } from '../terminal/flags.js';
import { prose } from '../terminal/prose.js';
import { codeFor, shellNamed } from '../terminal/shell-code.js';

export default class Shellenv extends BaseCommand {
  static override summary = 'Print functions for a shell that takes many locks';
  static override usage = 'shellenv [bash | zsh]';
  static override description = prose`
    For a script that locks more than now and then. The functions dlm_lock, dlm_convert, dlm_unlock and dlm_lvb start
    no process: they speak with the node through a pipe, and a lock takes about a tenth of the time of flock(1).
    The locks belong to the shell and end with it, whatever it has left running in the background.

    Exit codes are those of dlm codes. The id of a lock is left in DLM_LKID and its token in DLM_TOKEN; the name will
    do in place of the id. Each function has --help; docs/shell.md has an example and the pitfalls.

    Without an argument the code is for the shell that called dlm.`;
  static override examples = [
    'eval "$(<%= config.bin %> shellenv bash)" || exit',
    { description: 'Then, in the same script', command: 'dlm_lock counter -w 5 || exit; ...; dlm_unlock counter' },
  ];
  static override args = { shell: wordArg('bash or zsh') };
  static override flags = { ...lockspaceFlag, ...startFlags, ...quietFlag };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Shellenv);
    const shell = shellNamed(args.shell);
    if (process.stdout.isTTY) {
      throw new DlmError('DLM_USAGE', 'this prints code for a shell to run, not for people to read', `write: eval "$(dlm shellenv ${shell})"`);
    }
    const { client } = await this.reachLockspace(flags);
    const lockspace = flags.lockspace ?? defaultLockspace;
    const code = codeFor(shell, this.config.root, await client.port.openShell(lockspace), lockspace);
    this.print(code.trimEnd());
    return { shell, code };
  }

  /** `eval` of nothing succeeds; so that a script hears of the error, there is something to run. */
  protected override async catch(thrown: Error): Promise<void> {
    await super.catch(thrown);
    this.print(`(exit ${process.exitCode ?? 1})`);
  }
}
