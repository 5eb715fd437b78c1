/**
 * For a wrapper at a resource: let in who comes with the newest token, and nobody with an older one.
 */
import { spawn } from 'node:child_process';
import { DlmError, checkToken } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { splitAtDashes } from '../../terminal/command-line.js';
import { needExecutable, notFoundExit } from '../../terminal/executable.js';
import { durationFlag, neededWordArg, quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { exitOfSignal } from '../../terminal/signals.js';

export default class TokenCheck extends BaseCommand {
  static override summary = 'Refuse whoever comes with an older token than one that was seen before';
  static override usage = 'token check FILE TOKEN [-w TIME] [-- COMMAND…]';
  static override description = prose`
    FILE keeps the highest token that was seen; it is made if it is not there. If TOKEN is not older it is kept, on the
    disk, and the exit code is 0. If it is older, whoever brings it has lost the lock since, perhaps without knowing:
    the exit code is 116. No node is asked.

    With COMMAND: runs it while nobody else is let in, and ends with its exit code. Without, somebody can be let in, be
    stopped, and go on when another one has been let in with a newer token. What COMMAND leaves running in the
    background keeps others out until it has ended, too.

    A file is for one resource: tokens of different ones do not compare. What this protects from, and what nothing but
    this protects from, is in docs/tokens.md.`;
  static override examples = [
    { description: 'In a wrapper that writes for others', command: '<%= config.bin %> token check /srv/store/token "$DLM_TOKEN" -- ./write record' },
  ];
  static override args = { file: neededWordArg('where the highest token is kept'), token: neededWordArg('the token, as in $DLM_TOKEN') };
  static override flags = {
    wait: durationFlag({ char: 'w', summary: 'give up after so many seconds while others are at it; 81 then' }),
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { line, after } = splitAtDashes(this.argv);
    const { args, flags } = await this.parse(TokenCheck, line);
    const command = after ?? [];
    if (after !== null && command.length === 0) throw new DlmError('DLM_USAGE', 'there is no command after the --', 'leave out the -- to check the token alone');
    if (command.length > 0) needExecutable(command[0]!, 'the token was not looked at; see: dlm token check --help');
    const { token, before, result } = await checkToken(args.file, args.token, {
      ...(flags.wait === undefined ? {} : { waitMillis: flags.wait }),
      work: (lock) => (command.length === 0 ? null : run(command, lock)),
    });
    if (typeof result === 'number') {
      process.exitCode = result;
      return undefined;
    }
    return { file: args.file, token, before };
  }
}

/** The lock goes with it: should we be killed, it keeps others out all the same. */
function run(command: readonly string[], lock: number): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), { stdio: ['inherit', 'inherit', 'inherit', lock] });
    child.once('error', () => resolve(notFoundExit));
    child.once('exit', (code, signal) => resolve(code ?? exitOfSignal(signal!)));
  });
}
