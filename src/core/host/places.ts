/**
 * Where a node keeps its things, and where its callers look for it.
 *
 * A named folder (`dir`, or DLM_DIR) holds everything. Otherwise the places follow
 * from the uid alone: no other variable is read, because what starts a program
 * from a timetable or from another shell sets them differently, and two nodes
 * where one was meant would grant the same lock twice.
 *
 * Nothing here is opened; `prepareFolder` makes a folder and refuses one that
 * somebody else could tamper with.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { DlmError } from '../base/errors.js';
import { codeOf, unusable } from './system-error.js';
import { quoteCommand } from './text.js';

export interface Places {
  /** Whom the node serves: all of the machine, one user, or whoever names the folder. */
  readonly scope: 'machine' | 'user' | 'folder';
  /** Socket, log and whatever else means nothing after a restart of the machine. */
  readonly run: string;
  /** What must outlive the node. */
  readonly state: string;
  readonly socket: string;
  readonly nodeLock: string;
  readonly startLock: string;
  readonly log: string;
  readonly children: string;
  readonly stateFile: string;
  readonly stateLock: string;
  /** Says to everybody that the machine has been part of a cluster; what is in `stateFile` only its owner can read. */
  readonly clusteredMark: string;
  /** The configuration of a cluster, if there is one. */
  readonly config: string;
}

/** The longest path of a socket, in bytes. */
const socketPathMax = 107;

const machineRun = '/run/dlm';
const machineState = '/var/lib/dlm';
const machineConfig = '/etc/dlm/dlm.conf';

/** Where the node of this user is, or the one of that folder. */
export function nodePlaces(dir: string | undefined = folderNamed()): Places {
  if (dir !== undefined) {
    const folder = resolve(dir);
    return places('folder', folder, () => folder, join(folder, 'dlm.conf'));
  }
  const uid = ownUid();
  if (uid === 0) return machinePlaces();
  return places('user', ownRun().run, () => join(homeOf(uid), '.local/state/dlm'), machineConfig);
}

/** The run folder of this user, or of the machine, whatever other folder may be named. */
export function ownRun(): Pick<Places, 'run' | 'scope'> {
  const uid = ownUid();
  return uid === 0 ? { scope: 'machine', run: machineRun } : { scope: 'user', run: `/tmp/dlm-${uid}` };
}

/** For a node inside a command: what it must not share with others of this user is in a folder of its own. */
export function guestPlaces(dir: string | undefined, name: string): Places {
  const host = nodePlaces(dir);
  const run = join(host.run, 'guests', name);
  return { ...host, run, children: join(run, 'children') };
}

/** Where to look for a node, the one that wins first. */
export function placesToTry(dir?: string): Places[] {
  const own = nodePlaces(dir);
  return own.scope === 'user' ? [machinePlaces(), own] : [own];
}

function machinePlaces(): Places {
  return places('machine', machineRun, () => machineState, machineConfig);
}

function folderNamed(): string | undefined {
  const named = process.env['DLM_DIR'];
  return named === undefined || named === '' ? undefined : named;
}

/** The home is looked up only by those who need it: a caller that attaches does not. */
function places(scope: Places['scope'], run: string, stateOf: () => string, config: string): Places {
  return {
    scope,
    run,
    config,
    socket: join(run, 'control.sock'),
    nodeLock: join(run, 'node.lock'),
    startLock: join(run, 'start.lock'),
    log: join(run, 'node.log'),
    children: join(run, 'children'),
    get state() {
      return stateOf();
    },
    get stateFile() {
      return join(stateOf(), 'state.json');
    },
    get stateLock() {
      return join(stateOf(), 'state.lock');
    },
    get clusteredMark() {
      return join(stateOf(), 'clustered');
    },
  };
}

/** The group whose members may use the node of the machine: `dlm`, if there is one of that name. */
export function machineGroup(): number | null {
  const entry = readTextOr('/etc/group', '').split('\n').find((line) => line.startsWith('dlm:'));
  return entry === undefined ? null : Number(entry.split(':')[2]);
}

function readTextOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

export function ownUid(): number {
  return process.getuid?.() ?? 0;
}

function homeOf(uid: number): string {
  try {
    return userInfo().homedir;
  } catch {
    throw new DlmError(
      'DLM_STATE_UNUSABLE',
      `user ${uid} has no entry in the user database, so no home folder is known in which to keep state`,
      'name a folder with DLM_DIR',
    );
  }
}

/**
 * What to call a socket by when binding or connecting: its full path, or from the
 * current folder if only that is short enough. Throws `DLM_STATE_UNUSABLE`.
 */
export function socketAddress(socket: string): string {
  const fits = (path: string): boolean => Buffer.byteLength(path) <= socketPathMax;
  if (fits(socket)) return socket;
  const fromHere = relative(process.cwd(), socket);
  if (fits(fromHere)) return fromHere;
  throw new DlmError(
    'DLM_STATE_UNUSABLE',
    `the path of the node's socket has ${Buffer.byteLength(socket)} bytes and the system allows ${socketPathMax}: ${socket}`,
    'name a folder with a shorter path in DLM_DIR',
  );
}

/**
 * Make a folder of ours if need be, and make sure that nobody else can put things
 * into it. Throws `DLM_NOT_PERMITTED` or `DLM_STATE_UNUSABLE`.
 */
export function prepareFolder(folder: string, scope: Places['scope']): void {
  try {
    const isNew = make(folder);
    if (isNew && scope === 'machine') chmodSync(folder, 0o755);
  } catch (error) {
    throw unusable(`cannot make the folder ${folder}`, error);
  }
  checkFolder(folder);
}

/**
 * Make it, and what it lies in. Was it new?
 *
 * Node can do this itself, but where a folder can never be made (in /proc, say) it
 * tries for ever.
 */
function make(folder: string): boolean {
  try {
    mkdirSync(folder, 0o700);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (codeOf(error) !== 'ENOENT' || existsSync(dirname(folder))) throw error;
  }
  make(dirname(folder));
  return make(folder);
}

function checkFolder(folder: string): void {
  const { uid, mode, ...kind } = statOf(folder);
  if (!kind.isDirectory) throw notAFolder(folder);
  if (uid !== ownUid()) {
    throw new DlmError(
      'DLM_NOT_PERMITTED',
      `the folder ${folder} belongs to user ${uid}, not to user ${ownUid()}`,
      'remove it, or name another folder with DLM_DIR',
    );
  }
  if ((mode & 0o022) !== 0) {
    throw new DlmError(
      'DLM_NOT_PERMITTED',
      `others may write into the folder ${folder}, and so could put a false node there`,
      `take that away with: chmod go-w ${quoteCommand([folder])}`,
    );
  }
}

function statOf(folder: string): { uid: number; mode: number; isDirectory: boolean } {
  try {
    const stat = lstatSync(folder);
    return { uid: stat.uid, mode: stat.mode, isDirectory: stat.isDirectory() };
  } catch (error) {
    throw unusable(`cannot use the folder ${folder}`, error);
  }
}

function notAFolder(folder: string): DlmError {
  return new DlmError(
    'DLM_NOT_PERMITTED',
    `${folder} is not a folder of its own (a symbolic link is not followed)`,
    'remove it, or name another folder with DLM_DIR',
  );
}
