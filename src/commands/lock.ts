/**
 * Run a command under a lock, or take a lock and print its id.
 */
import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DlmError, passingCaller, quoteCommand, type LockspaceClient, type ModeName, type NodeClient } from '../core/index.js';
import { askForLock, askForLocks, type Request } from '../terminal/asking.js';
import { BaseCommand } from '../terminal/base-command.js';
import { inProcessFlags } from '../terminal/cluster-flags.js';
import { namesAndCommand, splitAtDashes, wordsOf } from '../terminal/command-line.js';
import { describeResults } from '../terminal/describe.js';
import { formatWait } from '../terminal/durations.js';
import { needExecutable } from '../terminal/executable.js';
import * as options from '../terminal/flags.js';
import { describeHolding, describePassing, infoOf, jsonOfLock, ownerPid } from '../terminal/held-lock.js';
import { liveFlags } from '../terminal/law-words.js';
import { needNames, type NamedLine } from '../terminal/names.js';
import { endOf } from '../terminal/own-end.js';
import { answerTimeoutOf, reachedInTime } from '../terminal/patience.js';
import { prose } from '../terminal/prose.js';
import { runUnderLock } from '../terminal/under-lock.js';

type LockFlags = Interfaces.InferredFlags<typeof Lock.flags>;

export default class Lock extends BaseCommand {
  static override summary = 'Run a command under a lock, or take a lock and print its id';
  static override usage = ['lock NAME… [-m MODE] [-n | -w TIME] -- COMMAND…', 'lock NAME [-m MODE] [-n | -w TIME] -c LINE', 'lock NAME [-m MODE] [-n | -w TIME] [--owner-pid PID]'];
  static override description = prose`
    With COMMAND: waits for the lock, runs the command, gives the lock back when the command is gone, and ends with
    the command's exit code (128+N if signal N ended it, 127 if it was not found, 126 if it cannot be run). INT,
    TERM, HUP and QUIT are passed on. If the lock is lost the command is stopped and the exit code is 84. The
    command finds DLM_LOCKSPACE, DLM_RESOURCE, DLM_MODE, DLM_LKID and DLM_TOKEN in its environment.

    With several names it holds all of these locks, or none: they are waited for in the order of their names, so that
    two who want the same ones never wait for each other. DLM_RESOURCES, DLM_LKIDS and DLM_TOKENS list them, one a
    line.

    A PROGRAM is run by sh -c, beside the command, and never keeps the lock. It also finds DLM_COMMAND_PID; the
    doorbell (--on-blocked) finds the mode that is wanted in DLM_BLOCKED_MODE, and who wants it in DLM_BLOCKER_PID
    and DLM_BLOCKER_COMMAND. What happens when any of them is killed is in docs/scripts.md.

    Without COMMAND: prints the id of the lock and leaves it held until its owner ends, or until dlm unlock. The
    owner is the process that called dlm, as a rule the shell of your script; name another with --owner-pid. If the
    caller is one that ends at once, such as timeout or sudo, that is said: then --owner-pid $$ is what you mean.
    A lock whose id cannot be written is given back (74).

    A name that begins with a dash comes after --, and the command after another: dlm lock -- --name -- COMMAND.

    Options are those of flock(1), but for -u, which is dlm unlock; -o, because it is always so: what the command
    leaves running in the background does not keep the lock; and -F, because dlm stays to give the lock back. -c asks
    sh, where flock asks $SHELL.

    FLAG is one of ${liveFlags.join(', ')};
    docs/glossary.md says what each is for and what goes with what.`;
  static override examples = [
    { description: 'Let only one backup run at a time', command: '<%= config.bin %> lock backup -- ./backup.sh nightly' },
    { description: 'Read together with other readers, and wait ten seconds at most', command: '<%= config.bin %> lock report -m PR -w 10 -- ./report.sh' },
    { description: 'Do nothing if somebody else is at it', command: '<%= config.bin %> lock backup -n -q -- ./backup.sh || echo busy' },
    { description: 'Move something between two places that others use', command: '<%= config.bin %> lock inbox archive -- mv inbox/1 archive/' },
    { description: 'Tell a long command that somebody waits', command: '<%= config.bin %> lock report --on-blocked \'kill -USR1 $DLM_COMMAND_PID\' -- ./report.sh' },
    { description: 'Hold a lock through a part of a script', command: 'id=$(<%= config.bin %> lock counter); ...; <%= config.bin %> unlock "$id"' },
  ];
  static override args = { name: options.nameArg };
  /** Several names are told apart from a command by the dashes between them. */
  static override strict = false;
  static override flags = {
    mode: options.modeFlag,
    shared: Flags.boolean({ char: 's', summary: 'the same as -m PR', exclusive: ['mode', 'exclusive'] }),
    exclusive: Flags.boolean({ char: 'x', charAliases: ['e'], summary: 'the same as -m EX; also -e', exclusive: ['mode'] }),
    command: Flags.string({ char: 'c', helpValue: 'LINE', summary: 'in place of COMMAND: a line for sh -c' }),
    ...options.lockspaceFlag,
    ...options.nameHexFlag,
    value: Flags.boolean({ summary: 'read the value with the grant (DLM_VALUE in hex, and DLM_VALUE_STATE)' }),
    persistent: Flags.boolean({ summary: 'the lock outlives its owner, as an orphan that others can adopt' }),
    ...options.ownerFlag,
    ...options.lockFlags,
    ...options.patienceFlags,
    ...options.conflictExitFlag,
    ...options.hookFlags,
    ...options.startFlags,
    ...inProcessFlags,
    verbose: Flags.boolean({ summary: 'say how long it took to get the lock, and whether a node was started for it', exclusive: ['quiet'] }),
    ...options.quietWaitFlag,
  };

  async run(): Promise<unknown> {
    const { line, after } = splitAtDashes(this.argv);
    const { raw, flags } = await this.parse(Lock, line);
    const { names, command } = namesAndCommand(wordsOf(raw), flags['name-hex'] !== undefined, after, flags.command);
    const targets = needNames(names, flags['name-hex']);
    return command.length > 0 ? this.#run(targets, flags, command) : this.#take(targets[0]!, flags);
  }

  /** The command decides the exit code, and standard output is its own. */
  async #run(targets: readonly NamedLine[], flags: LockFlags, command: string[]): Promise<void> {
    if (flags['owner-pid'] !== undefined) {
      throw new DlmError('DLM_USAGE', '--owner-pid is for a lock without a command', 'a command owns the lock it runs under');
    }
    needExecutable(command[0]!, 'the lock was not asked for; see: dlm lock --help');
    const { client, space } = await this.#reach(targets.map(({ shown }) => shown).join(' '), flags, quoteCommand(command));
    const signals = this.takeSignals();
    const began = performance.now();
    const locks = await askForLocks(this.#request(space, flags, null), targets, signals);
    if (flags.verbose) this.#tellWait(locks.map(({ shown }) => shown).join(' '), began);
    for (const { lock } of locks) this.noteAll(describeResults(lock.results, lock.mode));
    const guard = { client, locks, lockspace: space.name, wantsValue: flags.value, hooks: flags, warn: (words: string) => this.warnPeople(words) };
    const { code, signal } = await runUnderLock(guard, command, signals);
    process.exitCode = code;
    endOf(signal);
  }

  /** The id, alone, on standard output: a lock whose id nobody has is given back. */
  async #take(target: NamedLine, flags: LockFlags): Promise<void> {
    if (flags['in-process']) {
      throw new DlmError('DLM_USAGE', 'a node inside this command ends with it, and the lock too', 'put a COMMAND after --, or leave out --in-process');
    }
    const hook = Object.keys(options.hookFlags).find((name) => name in flags);
    if (hook !== undefined) {
      throw new DlmError('DLM_USAGE', `--${hook} is for a lock with a command`, 'without one dlm ends at once, and nobody is left to run a program');
    }
    const { space } = await this.#reach(target.shown, flags);
    const request = { ...this.#request(space, flags, ownerPid(flags['owner-pid'])), target };
    const began = performance.now();
    const lock = await askForLock(request, this.takeSignals());
    if (flags.verbose) this.#tellWait(target.shown, began);
    const owner = (await infoOf(space, target, lock))?.owner ?? null;
    const json = { ...jsonOfLock(lock), resource: target.shown, owner };
    try {
      this.printForSure(lock.id, json, `the id of the lock on ${target.shown} could not be written, so the lock was given back`);
    } catch (error) {
      await lock.unlock();
      throw error;
    }
    const caller = flags['owner-pid'] === undefined && !flags.persistent ? passingCaller(process.ppid) : null;
    if (caller !== null) this.warnPeople(describePassing(target.shown, process.ppid, caller));
    this.noteAll([describeHolding(lock, target.shown, owner, request.flags.includes('PERSISTENT')), ...describeResults(lock.results, lock.mode)]);
  }

  #reach(shown: string, flags: LockFlags, command = ''): Promise<{ client: NodeClient; space: LockspaceClient }> {
    const wish = { shown, mode: modeIn(flags), patience: flags, isQuiet: flags.quiet };
    return reachedInTime(wish, () => this.reachLockspace({ ...flags, ...answerTimeoutOf(flags) }, command));
  }

  #tellWait(shown: string, began: number): void {
    this.note(`${shown}: granted after ${formatWait(performance.now() - began)}`);
  }

  #request(space: LockspaceClient, flags: LockFlags, owner: number | null): Omit<Request, 'target'> {
    return {
      space,
      mode: modeIn(flags),
      flags: options.flagsFor(flags.flag, { PERSISTENT: flags.persistent }),
      wantValue: flags.value,
      blocking: flags['on-blocked'] !== undefined,
      ownerPid: owner,
      patience: flags,
      isQuiet: flags.quiet,
      note: (words) => this.note(words),
    };
  }
}

function modeIn({ mode, shared }: LockFlags): ModeName {
  return mode ?? (shared ? 'PR' : 'EX');
}
