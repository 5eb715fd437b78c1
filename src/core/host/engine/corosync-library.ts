/**
 * Corosync's libraries, as the corosync engine calls them: a closed process group
 * (libcpg), quorum (libquorum) and the map of settings (libcmap) of the daemon on this
 * host.
 *
 * The only one that calls libraries beside the system's own, by koffi. It turns callbacks of C into calls of plain values, in
 * the order in which the libraries make them, and their error numbers into errors that
 * say what to do. It decides nothing.
 *
 * The descriptors of the libraries are watched by koffi's poll, whose callback is given
 * `(status, events)` whatever its type says. Blocking dispatch in a thread would keep
 * the process from ending.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { DlmError } from '../../base/errors.js';

/** A process in the group. */
export interface Address {
  readonly node: number;
  readonly pid: number;
}

/** A configuration of corosync's daemons; `node` is the lowest of them. */
export interface Ring {
  readonly node: number;
  readonly seq: number;
}

/** Why a process is no longer in the group, or has come, as corosync counts them. */
export const reasonOf = { join: 1, leave: 2, nodedown: 3, nodeup: 4, procdown: 5 } as const;

export interface Change extends Address {
  readonly reason: number;
}

/** Who hears from the daemon. Within one process everything comes one after another. */
export interface CorosyncHearer {
  /** Ordered among all in the group, our own included. */
  message(from: Address, bytes: Uint8Array): void;
  /** Ordered with the messages. */
  members(all: readonly Address[], left: readonly Change[], joined: readonly Change[]): void;
  /** Follows the change of members that the ring brought. */
  ring(ring: Ring): void;
  /** Not ordered with anything above. */
  quorum(isQuorate: boolean, ring: Ring): void;
  /** Before anything is heard. False: hear nothing. */
  mayHear(): boolean;
  /** The daemon has ended, or does not know us any more. Nothing more is heard. */
  gone(what: string): void;
}

export interface CorosyncLine {
  readonly node: number;
  /** False: not now, again a little later. */
  send(bytes: Uint8Array): boolean;
  /**
   * Hear nothing more, and leave the group. `isAnswering` false: do not wait for the daemon, which would never answer
   * if it stands still; we are then in its group until this process ends.
   */
  close(isAnswering?: boolean): void;
}

const ok = 1;
const failed = { library: 2, tryAgain: 6, access: 11, exist: 14, noResources: 18 };
const dispatchAll = 2;
const agreed = 2;
/** Of the model in which callbacks carry rings; the initial ring is to be told too. */
const model = 1;
const tellFirstRing = 1;
const track = { current: 1, changes: 2 };
const nameLength = 128;

const packages = 'libcpg4 libquorum5 libcmap4';

type Pointer = unknown;

/** The functions we call, and what their callbacks need to be read. */
class Bindings {
  readonly koffi: typeof Koffi;
  readonly cpg: Readonly<Record<'init' | 'join' | 'leave' | 'finalize' | 'fd' | 'dispatch' | 'mcast' | 'local', (...words: unknown[]) => number>>;
  readonly quorum: Readonly<Record<'init' | 'track' | 'finalize' | 'fd' | 'dispatch', (...words: unknown[]) => number>>;
  readonly cmap: Readonly<Record<'init' | 'finalize' | 'text' | 'count', (...words: unknown[]) => number>>;

  /** Throws `DLM_START_FAILED`. */
  constructor() {
    this.koffi = loadKoffi();
    const { koffi } = this;
    const cpg = this.#library('libcpg.so.4');
    const quorum = this.#library('libquorum.so.5');
    const cmap = this.#library('libcmap.so.4');
    this.#declare();
    this.cpg = {
      init: cpg.func('int cpg_model_initialize(_Out_ uint64 *h, int model, dlm_cpg_model *d, void *ctx)'),
      join: cpg.func('int cpg_join(uint64 h, dlm_cpg_name *name)'),
      leave: cpg.func('int cpg_leave(uint64 h, dlm_cpg_name *name)'),
      finalize: cpg.func('int cpg_finalize(uint64 h)'),
      fd: cpg.func('int cpg_fd_get(uint64 h, _Out_ int *fd)'),
      dispatch: cpg.func('int cpg_dispatch(uint64 h, int types)'),
      mcast: cpg.func('int cpg_mcast_joined(uint64 h, int guarantee, dlm_iovec *v, uint32 n)'),
      local: cpg.func('int cpg_local_get(uint64 h, _Out_ uint32 *node)'),
    };
    this.quorum = {
      init: quorum.func('int quorum_model_initialize(_Out_ uint64 *h, int model, dlm_quorum_model *d, _Out_ uint32 *type, void *ctx)'),
      track: quorum.func('int quorum_trackstart(uint64 h, uint32 flags)'),
      finalize: quorum.func('int quorum_finalize(uint64 h)'),
      fd: quorum.func('int quorum_fd_get(uint64 h, _Out_ int *fd)'),
      dispatch: quorum.func('int quorum_dispatch(uint64 h, int types)'),
    };
    const free = koffi.load(null).func('void free(void *p)');
    koffi.disposable('dlm_heap_text', 'str', free);
    this.cmap = {
      init: cmap.func('int cmap_initialize(_Out_ uint64 *h)'),
      finalize: cmap.func('int cmap_finalize(uint64 h)'),
      text: cmap.func('int cmap_get_string(uint64 h, const char *key, _Out_ dlm_heap_text *value)'),
      count: cmap.func('int cmap_get_uint32(uint64 h, const char *key, _Out_ uint32 *value)'),
    };
  }

  /** Types have names in the whole process, so they are declared once in it. */
  #declare(): void {
    const { koffi } = this;
    koffi.struct('dlm_cpg_address', { nodeid: 'uint32', pid: 'uint32', reason: 'uint32' });
    koffi.struct('dlm_cpg_name', { length: 'uint32', value: koffi.array('uint8', nameLength, 'Typed') });
    koffi.struct('dlm_ring', { nodeid: 'uint32', seq: 'uint64' });
    koffi.struct('dlm_iovec', { iov_base: 'void *', iov_len: 'size_t' });
    koffi.proto('void dlm_cpg_deliver(uint64 h, void *name, uint32 nodeid, uint32 pid, void *msg, size_t len)');
    koffi.proto('void dlm_cpg_confchg(uint64 h, void *name, void *m, size_t mn, void *l, size_t ln, void *j, size_t jn)');
    koffi.proto('void dlm_cpg_totem(uint64 h, dlm_ring ring, uint32 n, void *list)');
    koffi.struct('dlm_cpg_model', { model: 'int', deliver: 'dlm_cpg_deliver *', confchg: 'dlm_cpg_confchg *', totem: 'dlm_cpg_totem *', flags: 'uint32' });
    koffi.proto('void dlm_quorum_told(uint64 h, uint32 quorate, dlm_ring ring, uint32 n, void *list)');
    koffi.proto('void dlm_quorum_nodes(uint64 h, dlm_ring ring, uint32 mn, void *m, uint32 jn, void *j, uint32 ln, void *l)');
    koffi.struct('dlm_quorum_model', { model: 'int', quorum: 'dlm_quorum_told *', nodes: 'dlm_quorum_nodes *' });
  }

  #library(name: string): ReturnType<typeof Koffi.load> {
    try {
      return this.koffi.load(name);
    } catch (error) {
      throw new DlmError(
        'DLM_START_FAILED',
        `a library of corosync, ${name}, cannot be loaded: ${(error as Error).message}`,
        `install corosync's libraries, on Debian with: apt install corosync ${packages}`,
      );
    }
  }
}

function loadKoffi(): typeof Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch (error) {
    throw new DlmError(
      'DLM_START_FAILED',
      `the package koffi, through which corosync is reached, cannot be loaded: ${(error as Error).message}`,
      'install dlm with its optional dependencies: npm install --include=optional',
    );
  }
}

/** Of this process; types of C have one name in it. */
const loaded: { bindings: Bindings | null } = { bindings: null };

function bindings(): Bindings {
  return (loaded.bindings ??= new Bindings());
}

export interface Settings {
  text(key: string): string | null;
  count(key: string): number | null;
}

/** Read what the daemon is set up with. Throws `DLM_START_FAILED`, `DLM_NOT_PERMITTED`. */
export function withSettings<Found>(read: (settings: Settings) => Found): Found {
  const { cmap } = bindings();
  const handle: bigint[] = [0n];
  check(cmap.init(handle), 'reading the settings of corosync');
  try {
    return read({
      text: (key) => {
        const value: (string | null)[] = [null];
        return cmap.text(handle[0], key, value) === ok ? value[0]! : null;
      },
      count: (key) => {
        const value = [0];
        return cmap.count(handle[0], key, value) === ok ? value[0]! : null;
      },
    });
  } finally {
    cmap.finalize(handle[0]);
  }
}

/**
 * Join the group of that name and follow quorum. `again`: the daemon is busy with a change of its members; try a
 * little later. Throws `DLM_START_FAILED`, `DLM_NOT_PERMITTED`, `DLM_NODE_EXISTS`.
 */
export function openLine(group: string, hearer: CorosyncHearer): CorosyncLine | 'again' {
  const line = new Line(group, hearer);
  try {
    return line.open() ? line : 'again';
  } catch (error) {
    line.close();
    throw error;
  }
}

class Line implements CorosyncLine {
  readonly #libraries = bindings();
  readonly #group: Readonly<{ length: number; value: Uint8Array }>;
  readonly #hearer: CorosyncHearer;
  #cpg: bigint | null = null;
  #quorum: bigint | null = null;
  #callbacks: bigint[] = [];
  #polls: Koffi.node.PollHandle[] = [];
  #isDispatching = false;
  #isClosed = false;
  node = 0;

  constructor(group: string, hearer: CorosyncHearer) {
    const value = new Uint8Array(nameLength);
    const { written } = new TextEncoder().encodeInto(group, value);
    this.#group = { length: written, value };
    this.#hearer = hearer;
  }

  /** False: try later. */
  open(): boolean {
    const { cpg, quorum } = this.#libraries;
    const handle: bigint[] = [0n];
    const node = [0];
    check(cpg.init(handle, model, { model, ...this.#groupCallbacks(), flags: tellFirstRing }, null), 'reaching corosync');
    this.#cpg = handle[0]!;
    check(cpg.local(this.#cpg, node), 'asking corosync for the number of this node');
    this.node = node[0]!;
    const joined = cpg.join(this.#cpg, this.#group);
    if (joined === failed.tryAgain) {
      this.close();
      return false;
    }
    check(joined, 'joining the group');
    check(quorum.init(handle, model, { model, ...this.#quorumCallbacks() }, [0], null), 'asking corosync for quorum');
    this.#quorum = handle[0]!;
    check(quorum.track(this.#quorum, track.current | track.changes), 'following quorum');
    this.#watch(cpg, this.#cpg);
    this.#watch(quorum, this.#quorum);
    return true;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    const result = this.#libraries.cpg.mcast(this.#cpg, agreed, [{ iov_base: bytes, iov_len: bytes.length }], 1);
    if (result === failed.tryAgain || result === failed.noResources) return false;
    if (result !== ok) this.#lose(result);
    return true;
  }

  close(isAnswering = true): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const poll of this.#polls) poll.close();
    if (!isAnswering) return;
    const { cpg, quorum, koffi } = this.#libraries;
    if (this.#cpg !== null) {
      cpg.leave(this.#cpg, this.#group);
      cpg.finalize(this.#cpg);
    }
    if (this.#quorum !== null) quorum.finalize(this.#quorum);
    const callbacks = this.#callbacks;
    // We may be inside one of them.
    setImmediate(() => callbacks.forEach((callback) => koffi.unregister(callback)));
  }

  #groupCallbacks(): Record<'deliver' | 'confchg' | 'totem', bigint> {
    const { koffi } = this.#libraries;
    return {
      deliver: this.#register('dlm_cpg_deliver *', (_h: bigint, _name: Pointer, node: number, pid: number, bytes: Pointer, length: number | bigint) => {
        // The bytes are the library's, and gone when we return.
        const copy = Number(length) === 0 ? new ArrayBuffer(0) : koffi.view(bytes, Number(length)).slice(0);
        this.#tell((hearer) => hearer.message({ node, pid }, new Uint8Array(copy)));
      }),
      confchg: this.#register(
        'dlm_cpg_confchg *',
        (_h: bigint, _name: Pointer, all: Pointer, allCount: number | bigint, left: Pointer, leftCount: number | bigint, joined: Pointer, joinedCount: number | bigint) => {
          const [now, gone, come] = [this.#list(all, allCount), this.#list(left, leftCount), this.#list(joined, joinedCount)];
          this.#tell((hearer) => hearer.members(now, gone, come));
        },
      ),
      totem: this.#register('dlm_cpg_totem *', (_h: bigint, ring: { nodeid: number; seq: number | bigint }) => {
        this.#tell((hearer) => hearer.ring(ringOf(ring)));
      }),
    };
  }

  #quorumCallbacks(): Record<'quorum' | 'nodes', bigint> {
    return {
      quorum: this.#register('dlm_quorum_told *', (_h: bigint, quorate: number, ring: { nodeid: number; seq: number | bigint }) => {
        this.#tell((hearer) => hearer.quorum(quorate !== 0, ringOf(ring)));
      }),
      nodes: this.#register('dlm_quorum_nodes *', () => undefined),
    };
  }

  #register(type: string, callback: (...words: never[]) => void): bigint {
    const registered = this.#libraries.koffi.register(callback, type);
    this.#callbacks.push(registered);
    return registered;
  }

  #list(list: Pointer, count: number | bigint): Change[] {
    if (Number(count) === 0) return [];
    const addresses = this.#libraries.koffi.decode(list, 'dlm_cpg_address', Number(count)) as { nodeid: number; pid: number; reason: number }[];
    return addresses.map(({ nodeid, pid, reason }) => ({ node: nodeid, pid, reason }));
  }

  #tell(what: (hearer: CorosyncHearer) => void): void {
    if (!this.#isClosed) what(this.#hearer);
  }

  #watch(library: Pick<Bindings['cpg'], 'fd' | 'dispatch'>, handle: bigint): void {
    const fd = [0];
    check(library.fd(handle, fd), 'watching corosync');
    this.#polls.push(this.#libraries.koffi.node.poll(fd[0]!, { readable: true, disconnect: true }, () => this.#dispatch(library, handle)));
  }

  #dispatch(library: Pick<Bindings['cpg'], 'dispatch'>, handle: bigint): void {
    if (this.#isClosed || this.#isDispatching || !this.#hearer.mayHear()) return;
    this.#isDispatching = true;
    const result = library.dispatch(handle, dispatchAll);
    this.#isDispatching = false;
    if (result !== ok && result !== failed.tryAgain) this.#lose(result);
  }

  #lose(result: number): void {
    if (this.#isClosed) return;
    this.close();
    this.#hearer.gone(result === failed.library ? 'corosync on this host has ended' : `corosync on this host does not know this process any more (error ${result})`);
  }
}

function ringOf({ nodeid, seq }: { nodeid: number; seq: number | bigint }): Ring {
  return { node: nodeid, seq: Number(seq) };
}

function check(result: number, doing: string): void {
  if (result === ok) return;
  if (result === failed.access) {
    throw new DlmError('DLM_NOT_PERMITTED', `${doing}: corosync does not let this user in`, 'run as root, or allow the user in /etc/corosync/uidgid.d');
  }
  if (result === failed.exist) throw new DlmError('DLM_NODE_EXISTS', `${doing}: this process is a member already`);
  if (result === failed.library || result === failed.tryAgain) {
    throw new DlmError('DLM_START_FAILED', `${doing}: corosync does not answer on this host`, 'start it, and see corosync-quorumtool -s');
  }
  throw new DlmError('DLM_START_FAILED', `${doing} failed with error ${result} of corosync`, 'see the log of corosync');
}
