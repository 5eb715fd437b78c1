/**
 * Start a node in the background, once, however many ask for it at a time.
 *
 * Whoever wants to start one takes a lock first, held by the kernel, and looks
 * again when it has it: the others find the node that the first has started. The
 * node gets a session of its own and none of our open files, so that a shell
 * that waits for the end of our output does not wait for the node.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DlmError, catalogue, errorCodes, type ErrorCode } from '../base/errors.js';
import type { AttachOptions } from './attach.js';
import { refuseWhereClustered } from './clustered.js';
import { firstAnswer, ourselves } from './first-answer.js';
import { KernelLock } from './kernel-lock.js';
import { NodeClient } from './node-client.js';
import { placesToTry, prepareFolder, socketAddress, type Places } from './places.js';
import type { SessionPort } from './session-client.js';
import { reasonOf } from './system-error.js';
import type { HolderInfo } from './types.js';

const startMillis = 15_000;
const pollMillis = 10;
/** How long a node that is not wanted any more has between TERM and KILL. */
const endMillis = 5_000;
const logLengthMax = 1 << 20;
/** How much of the log is shown when a node does not start. */
const tailLength = 2_000;

/** How a node in the background is told why it was started. */
const wordsFor = { automatic: [], joined: ['--until-left'] } as const;

type Start = keyof typeof wordsFor;

export interface DetachOptions extends AttachOptions {
  /** It will be a member of a cluster, or of none on purpose; false if not given. */
  readonly mayBeAlone?: boolean;
}

/** Start a node because a command found none. */
export async function startAndAttach(places: readonly Places[], holder: HolderInfo, options: AttachOptions): Promise<NodeClient> {
  refuseWhereClustered(places);
  return startOnce(places, 'automatic', holder, options, (port) => new NodeClient(port));
}

/** Start a node on purpose, with these words for `dlm node join`. Rejects with `DLM_NODE_EXISTS` if there is one, `DLM_START_REFUSED`, and as the node does. */
export async function startDetachedAt({ mayBeAlone = false, ...options }: DetachOptions, words: readonly string[]): Promise<NodeClient> {
  const places = placesToTry(options.dir);
  if (!mayBeAlone) refuseWhereClustered(places);
  return startOnce(places, 'joined', options.holder ?? ourselves(), { ...options, words }, async (port) => {
    const { pid } = await port.status();
    await port.close();
    throw new DlmError('DLM_NODE_EXISTS', `a node is running already, process ${pid}`);
  });
}

async function startOnce(
  places: readonly Places[],
  start: Start,
  holder: HolderInfo,
  options: AttachOptions & { readonly words?: readonly string[] },
  whenFound: (port: SessionPort) => NodeClient | Promise<NodeClient>,
): Promise<NodeClient> {
  const own = places.at(-1)!;
  const deadline = performance.now() + (options.startTimeout ?? startMillis);
  socketAddress(own.socket);
  // First what must outlive the node: where it cannot be kept, no folder is left behind for what need not.
  prepareFolder(own.state, own.scope);
  prepareFolder(own.run, own.scope);
  const lock = await KernelLock.take(own.startLock, deadline - performance.now());
  if (lock === null) throw new DlmError('DLM_START_FAILED', `another process has been starting a node in ${own.run} for too long`);
  try {
    const found = await firstAnswer(places, holder);
    if (found !== null) return await whenFound(found);
    const port = await launch(own, start, [...wordsFor[start], ...(options.words ?? [])], holder, deadline);
    options.onStart?.(describeStart(own, start));
    return new NodeClient(port, true);
  } finally {
    lock.release();
  }
}

function describeStart({ scope, run }: Places, start: Start): string {
  const who = {
    machine: 'everybody on this machine who may use its socket sees these locks',
    user: 'only you see these locks, no other user of this machine',
    folder: `only those who use ${run} see these locks`,
  };
  const until = start === 'automatic' ? '; it stops by itself when nobody has needed it for ten minutes' : '';
  return `started a node in the background: ${who[scope]}${until}`;
}

/** The program `dlm` of this package. */
function ownProgram(): string {
  return fileURLToPath(new URL('../../../bin/dlm', import.meta.url));
}

async function launch(places: Places, start: Start, words: readonly string[], holder: HolderInfo, deadline: number): Promise<SessionPort> {
  const log = openLog(places);
  const nothing = openSync('/dev/null', constants.O_RDWR);
  try {
    const child = spawn(process.execPath, [ownProgram(), 'node', 'join', '--as-background', ...words], {
      detached: true,
      cwd: places.run,
      env: environmentFor(places),
      stdio: descriptorsFor(log.file, nothing),
    });
    child.unref();
    const node = new Launched(child);
    try {
      return await awaitAnswer(places, holder, deadline, node, { start, log, places });
    } catch (error) {
      // Nobody would expect it, and it would keep the place of the next one.
      await node.end();
      throw error;
    }
  } finally {
    closeSync(nothing);
    closeSync(log.file);
  }
}

/** A node that has been started, and how it ended if it has. */
class Launched {
  /** Null while it lives. */
  ending: Ending | null = null;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.once('error', (error) => (this.ending = { code: null, words: reasonOf(error) }));
    child.once('exit', (exit, signal) => (this.ending ??= describeEnd(exit, signal)));
  }

  async end(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.ending !== null) return;
      const hasEnded = once(this.#child, 'exit');
      this.#child.kill(signal);
      // Nobody is kept waiting by the rest of a pause.
      const isOver = new AbortController();
      await Promise.race([hasEnded, pause(endMillis, undefined, { signal: isOver.signal }).catch(() => undefined)]);
      isOver.abort();
    }
  }
}

interface Ending {
  /** Null: not one of the catalogue. */
  readonly code: ErrorCode | null;
  readonly words: string;
}

/** A node ends with an exit code of the catalogue, so it need not have been able to write a word. */
function describeEnd(exit: number | null, signal: string | null): Ending {
  const code = errorCodes.find((one) => catalogue[one].exit === exit) ?? null;
  if (code !== null) return { code, words: catalogue[code].meaning };
  return { code, words: signal === null ? `it ended with exit code ${exit}` : `it was ended by ${signal}` };
}

interface Launch {
  readonly start: Start;
  readonly log: Log;
  readonly places: Places;
}

async function awaitAnswer(places: Places, holder: HolderInfo, deadline: number, node: Launched, launch: Launch): Promise<SessionPort> {
  for (;;) {
    const { ending } = node;
    const port = await firstAnswer([places], holder);
    if (port !== null) return port;
    if (ending !== null) throw notStarted(ending, launch);
    if (performance.now() > deadline) throw notStarted({ code: null, words: 'it did not answer in time, and was ended' }, launch);
    await pause(pollMillis);
  }
}

/** In the words of the node, if it has found any: whoever wanted a node is told its error as if it were ours, and whoever wanted a lock that there is none. */
function notStarted({ code, words }: Ending, { start, log, places }: Launch): DlmError {
  const tail = tailOf(log);
  const itsLog = `its log is ${places.log}`;
  const last = /^dlm: ([^]*?)\nhint: (.*)$/m.exec(tail.slice(Math.max(0, `\n${tail}`.lastIndexOf('\ndlm: '))));
  const [message, hint] = last === null ? [`${words}\n${tail}`.trimEnd(), code === null ? '' : catalogue[code].hint] : [last[1]!, last[2]!];
  return new DlmError(start === 'joined' && code !== null ? code : 'DLM_START_FAILED', `the node did not come up: ${message}`, hint === '' ? itsLog : `${hint}; ${itsLog}`);
}

interface Log {
  readonly file: number;
  /** Where what this node says begins. */
  readonly start: number;
}

function openLog({ log }: Places): Log {
  const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  try {
    const file = openSync(log, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
    if (fstatSync(file).size > logLengthMax) ftruncateSync(file);
    return { file, start: fstatSync(file).size };
  } catch (error) {
    throw new DlmError('DLM_START_FAILED', `cannot write the node's log ${log}: ${reasonOf(error)}`);
  }
}

function tailOf({ file, start }: Log): string {
  const from = Math.max(start, fstatSync(file).size - tailLength);
  const bytes = Buffer.alloc(tailLength);
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, tailLength, from)).trimEnd();
}

/** A node that others will use starts the same for everybody. */
function environmentFor({ scope, run }: Places): NodeJS.ProcessEnv {
  const path = process.env['PATH'];
  return {
    ...(path === undefined ? {} : { PATH: path }),
    ...(scope === 'folder' ? { DLM_DIR: run } : {}),
  };
}

/**
 * The child's open files: nothing to read, the log, and nothing for each file that
 * we have inherited ourselves. Those would be passed on; a shell's lock on
 * descriptor 9 would then last as long as the node.
 */
function descriptorsFor(log: number, nothing: number): ('ignore' | number)[] {
  const descriptors: ('ignore' | number)[] = ['ignore', log, log];
  for (const descriptor of inheritedDescriptors()) {
    while (descriptors.length < descriptor) descriptors.push('ignore');
    descriptors[descriptor] = nothing;
  }
  return descriptors;
}

/** Files above standard error that are passed on to every program we start. */
function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isPassedOn(descriptor))
    .sort((one, other) => one - other);
}

const closeOnExec = 0o2000000;

function isPassedOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false;
  }
}
