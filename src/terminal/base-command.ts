/**
 * What every command is made of: parse, call, print.
 *
 * Results go to standard output, as words or with --json as one document; words
 * about what goes on go to standard error. An error becomes words, a hint and an
 * exit code in one place (report.ts). Whatever node was reached is let go of.
 */
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DlmError, attach, defaultLockspace, escapeText, inFull, openNode, type HolderInfo, type LockspaceClient, type NodeClient, type OpenOptions } from '../core/index.js';
import { clusterOptions, type ClusterFlags } from './cluster-flags.js';
import { writeForSure } from './closed-pipes.js';
import { Failure, report } from './report.js';
import { bySignal, endedBy, SignalWatch, type EndSignal } from './signals.js';
import { inOurWords, refuseSwitchValues } from './usage.js';

/** How a command wants to reach a node, as its options say. */
export interface Reach extends ClusterFlags {
  readonly 'no-start'?: boolean;
  readonly 'in-process'?: boolean;
  readonly alone?: boolean;
  readonly verbose?: boolean;
  /** How long whoever asks may wait for a node that says nothing, in milliseconds. */
  readonly answerTimeout?: number;
}

/** How long nobody needs to be told that the node here does not answer. */
const silenceMillis = 1_000;

/** How long a node of the command's own that is told to end may still be joining. */
const joiningMillis = 2_000;

export abstract class BaseCommand extends Command {
  static override baseFlags = {
    help: Flags.boolean({ char: 'h', summary: 'show this help', helpGroup: 'GLOBAL' }),
    json: Flags.boolean({ summary: 'print JSON, also for errors', helpGroup: 'GLOBAL' }),
  };
  static override enableJsonFlag = true;

  #quiet = false;
  #client: NodeClient | null = null;
  /** Since a node of the command's own is a member of a cluster. */
  #signals: SignalWatch | null = null;

  /** Attach to the node of this machine; one that is not there is started only if `reach` is given. */
  protected async reach(reach: Reach | null = null, command = '', lockspace: string | null = null): Promise<NodeClient> {
    const holder: HolderInfo = { pid: process.pid, command };
    this.#client = reach?.['in-process'] === true ? await this.#open(reach, holder) : await this.#attach(reach, holder, lockspace);
    return this.#client;
  }

  async #attach(reach: Reach | null, holder: HolderInfo, lockspace: string | null): Promise<NodeClient> {
    const silence = setTimeout(() => this.note('the node of this machine says nothing yet'), silenceMillis);
    try {
      return await attach({
        start: reach !== null && reach['no-start'] !== true,
        holder,
        ...(lockspace === null ? {} : { lockspace }),
        ...(reach?.answerTimeout === undefined ? {} : { answerTimeout: reach.answerTimeout }),
        onStart: (words) => {
          clearTimeout(silence);
          this.noteStart(words, reach?.verbose);
        },
      });
    } finally {
      clearTimeout(silence);
    }
  }

  /** As `reach`, with the lockspace that the options name. Rejects with `DLM_LOCKSPACE_UNKNOWN`. */
  protected async reachLockspace(
    flags: Reach & { readonly lockspace?: string | undefined },
    command = '',
  ): Promise<{ client: NodeClient; space: LockspaceClient }> {
    const name = flags.lockspace ?? defaultLockspace;
    const client = await this.reach(flags, command, name === defaultLockspace ? name : null);
    const isFresh = name === defaultLockspace || flags['in-process'] === true;
    if (!isFresh) await needLockspace(client, name);
    return { client, space: await client.lockspace(name) };
  }

  /** The signals that would end the command, for one that has something to clean up itself. */
  protected takeSignals(): SignalWatch {
    const signals = this.#signals ?? new SignalWatch();
    signals.listener = () => undefined;
    return signals;
  }

  /** A line of words for people, unless they want none. */
  protected note(words: string): void {
    if (!this.#quiet && !this.jsonEnabled()) process.stderr.write(`dlm: ${words}\n`);
  }

  /** Who sits at a terminal is told that a node was started; a timetable would send a mail of it, every night. */
  protected noteStart(words: string, isVerbose = false): void {
    if (isVerbose || process.stderr.isTTY) this.note(words);
  }

  protected noteAll(lines: readonly string[]): void {
    for (const words of lines) this.note(words);
  }

  /** Words that must not be missed, however quiet. */
  protected warnPeople(words: string): void {
    if (!this.jsonEnabled()) process.stderr.write(`dlm: ${words}\n`);
  }

  /** Words that must not be missed with --json either, where the result has no place for them. */
  protected warnAnyway(words: string): void {
    process.stderr.write(`dlm: ${words}\n`);
  }

  /** A line of the result; with --json the value that `run` returns is printed instead. */
  protected print(line: string): void {
    if (!this.jsonEnabled()) process.stdout.write(`${line}\n`);
  }

  /** As `print`, with `json` for --json; and whatever cannot be written is an error, `DLM_UNWRITTEN`. */
  protected printForSure(line: string, json: unknown, consequence: string): void {
    writeForSure(this.jsonEnabled() ? `${JSON.stringify(json, null, 2)}\n` : `${line}\n`, consequence);
  }

  protected override async parse<F extends Interfaces.OutputFlags<F>, B extends Interfaces.OutputFlags<B>, A extends Interfaces.OutputArgs<A>>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    refuseSwitchValues(argv ?? this.argv, { ...BaseCommand.baseFlags, ...options?.flags }, this.id ?? '');
    const parsed = await super.parse<F, B, A>(options, argv);
    this.#quiet = (parsed.flags as { quiet?: boolean }).quiet === true;
    return parsed;
  }

  override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  }

  protected override async catch(thrown: Error): Promise<void> {
    this.parsed = true;
    const told = inOurWords(thrown, this.id ?? '');
    process.exitCode = report(told instanceof DlmError ? await inFull(told) : told, this.jsonEnabled());
  }

  protected override async finally(): Promise<void> {
    await this.#client?.close().catch(() => undefined);
  }

  /** A node that shares its locks with nobody excludes nobody: that must be meant. */
  async #open(reach: Reach, holder: HolderInfo): Promise<NodeClient> {
    const cluster = await clusterOptions(reach);
    const mustExist = reach.alone !== true;
    const log = reach.verbose === true ? (line: string): void => this.note(line) : undefined;
    if (cluster !== null) return this.#openMember({ holder, cluster: { ...cluster, mustExist }, ...(log === undefined ? {} : { log }) });
    if (!mustExist) return openNode({ holder });
    throw new DlmError(
      'DLM_START_REFUSED',
      'a node inside this command shares its locks with nobody',
      'leave out --in-process, be a member of a cluster with --cluster NAME, or add --alone if that is what you mean',
    );
  }

  /** A member leaves in good order, whatever signal ends the command: of one that is only gone the others have to think that it has failed. */
  async #openMember(options: OpenOptions): Promise<NodeClient> {
    const signals = (this.#signals = new SignalWatch());
    let isOpening = true;
    // That it is a member is known here a little later than to the others. One that cannot become one is not waited for.
    signals.listener = (signal) => void setTimeout(() => isOpening && this.#endBy(signals, signal), joiningMillis).unref();
    const client = await openNode({ ...options, signal: signals.aborted }).catch((error: unknown) => {
      throw endedBy(signals.first, error);
    });
    isOpening = false;
    signals.listener = (signal) => void this.#leave(client, signals, signal);
    if (signals.first !== null) await this.#leave(client, signals, signals.first);
    return client;
  }

  /** Whatever the command still waits for. A second signal ends it at once. */
  async #leave(client: NodeClient, signals: SignalWatch, signal: EndSignal): Promise<void> {
    signals.stop();
    await client.close().catch(() => undefined);
    this.#endBy(signals, signal);
  }

  #endBy(signals: SignalWatch, signal: EndSignal): never {
    signals.stop();
    const error = new DlmError('DLM_CANCELLED', `${signal} came, and the node inside this command has ended`, 'call it again if it is still wanted');
    process.exit(report(new Failure(error, bySignal(signal)), this.jsonEnabled()));
  }
}

/** Only the default lockspace is joined without being asked for; a misspelt one would be a world of its own. */
export async function needLockspace(client: NodeClient, name: string): Promise<void> {
  if ((await client.status(name)).lockspaces.length > 0) return;
  throw new DlmError('DLM_LOCKSPACE_UNKNOWN', `this node has not joined lockspace '${escapeText(name)}'`);
}
