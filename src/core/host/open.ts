/**
 * A node inside this process: no other process can attach to it, and it ends with its
 * only client. It is alone, or a member of a cluster like any other; its locks are then
 * everybody's, and so is what it decides about for others.
 *
 * It takes an incarnation of its own from the machine, so that its tokens are greater
 * than those of any node before it. Beside it the user may have a node that serves, and
 * others like this one: what they must not share is in a folder of its own, which is
 * gone when the node is, or when the next one finds that its process and the commands
 * it protected have ended.
 */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DlmError } from '../base/errors.js';
import { ChildRegister } from './child-register.js';
import type { Cluster } from './cluster.js';
import type { ClusterOptions } from './cluster-options.js';
import { Host, type Owner } from './host.js';
import { KernelLock } from './kernel-lock.js';
import { LocalPort } from './local-port.js';
import { NodeClient } from './node-client.js';
import { statusOf } from './node-status.js';
import { stillLocked } from './outcome.js';
import { guestPlaces, nodePlaces, prepareFolder, type Places } from './places.js';
import { identify, isAlive } from './process-facts.js';
import { nextLife } from './state-file.js';
import type { HolderInfo } from './types.js';
import { ProcessWatch } from './watch.js';

export interface OpenOptions {
  /** One folder for everything; DLM_DIR or the places of this user if not given. */
  readonly dir?: string;
  readonly holder?: HolderInfo;
  /** Be a member of this cluster; alone if not given. */
  readonly cluster?: ClusterOptions;
  /** Where lines about the cluster go; nowhere if not given. */
  readonly log?: (line: string) => void;
  /** Aborted before it is open, a member leaves again in good order as soon as it can. */
  readonly signal?: AbortSignal;
}

/** Rejects with `DLM_STATE_UNUSABLE` or `DLM_CANCELLED`, and as `Cluster.join`. */
export async function openInside(options: OpenOptions, holder: HolderInfo): Promise<NodeClient> {
  const { dir, cluster } = options;
  if (cluster !== undefined) return openMember(options, cluster, holder);
  const host = new Host(1, await nextLife(nodePlaces(dir)));
  const watch = new ProcessWatch(host, null);
  return new NodeClient(new InsidePort(host, watch, host.addOwner('session', holder.pid, holder.command), () => undefined));
}

async function openMember({ dir, log = () => undefined, signal }: OpenOptions, options: ClusterOptions, holder: HolderInfo): Promise<NodeClient> {
  const life = await nextLife(nodePlaces(dir));
  const self = identify(process.pid);
  const places = guestPlaces(dir, `${process.pid}.${self?.started ?? 0}.${life.incarnation}`);
  clearOldGuests(places);
  prepareFolder(places.run, 'folder');
  const folder = await KernelLock.keepFolder(places.run);
  let cluster: Cluster | null = null;
  const end = (): void => {
    folder.release();
    rmSync(places.run, { recursive: true, force: true });
  };
  try {
    const register = new ChildRegister(places);
    const { Cluster: Loaded } = await import('./cluster.js');
    cluster = await Loaded.join(options, places, life, log);
    const host = new Host(cluster.node, life, cluster);
    const watch = new ProcessWatch(host, register);
    const port = new InsidePort(host, watch, host.addOwner('session', holder.pid, holder.command), end);
    await cluster.begin(host, ({ why, isUrgent }) => port.lost(`this node must end: ${why}`, isUrgent), signal);
    return new NodeClient(port);
  } catch (error) {
    await cluster?.leave();
    end();
    throw error;
  }
}

/** What others that were killed have left. The register of a child that lives is needed by those who wait for its end. */
function clearOldGuests({ run }: Places): void {
  const guests = dirname(run);
  prepareFolder(dirname(guests), 'folder');
  prepareFolder(guests, 'folder');
  for (const name of readdirSync(guests)) {
    const [pid, started] = name.split('.').map(Number);
    if (isAlive({ pid: pid!, started: started! })) continue;
    const children = join(guests, name, 'children');
    if (new ChildRegister({ children, scope: 'folder' }).survivors().length === 0) rmSync(join(guests, name), { recursive: true, force: true });
  }
}

class InsidePort extends LocalPort {
  readonly #host: Host;
  readonly #watch: ProcessWatch;
  readonly #onEnd: () => void;
  /** The others wait for the end of this process, or have gone on. */
  #isLost = false;

  /** `onEnd`: everything is over. */
  constructor(host: Host, watch: ProcessWatch, self: Owner, onEnd: () => void) {
    const leave = async ({ force, drain }: { force: boolean; drain: boolean }): Promise<void> => {
      if (drain) throw new DlmError('DLM_USAGE', 'a node inside a program has nobody to wait for', 'unlock, then leave');
      const { lockCount } = host.node;
      if (lockCount > 0 && !force) throw stillLocked(lockCount);
      await this.close();
    };
    const status = (lockspace: string | null) => statusOf(host, watch, { start: 'in-process', socket: null, sessions: 1, leaving: null }, lockspace);
    super({ host, watch, status, leave }, self);
    this.#host = host;
    this.#watch = watch;
    this.#onEnd = onEnd;
  }

  /** We are no member any more: whatever is held or wanted is lost. The others count us as one until this process has ended. */
  lost(why: string, isUrgent: boolean): void {
    this.#isLost ||= isUrgent;
    this.#host.tellEnd(why);
    this.#host.close();
    if (isUrgent) void this.#watch.endChildren({ isUrgent, mayLeave: () => true });
  }

  /** What is still locked is let go only when nobody runs under it any more. */
  override async close(): Promise<void> {
    if (this.#host.cluster !== null && this.#host.node.lockCount > 0) await this.#watch.endChildren({ mayLeave: () => this.#isLost });
    if (this.#host.applications.lockspaces.length > 0) this.#host.cluster?.giveUp('it was closed with an application attached');
    await super.close();
    this.#watch.stop();
    this.#host.close();
    await this.#host.cluster?.leave();
    this.#onEnd();
  }
}
