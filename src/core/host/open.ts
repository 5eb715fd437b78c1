/**
 * A node inside this process, alone: nobody else can reach it, and it ends with
 * its only client. It still takes an incarnation of its own from the machine, so
 * that its tokens are greater than those of any node before it.
 */
import { DlmError } from '../base/errors.js';
import { Host, type Owner } from './host.js';
import { LocalPort } from './local-port.js';
import { NodeClient } from './node-client.js';
import { statusOf } from './node-status.js';
import { stillLocked } from './outcome.js';
import { nodePlaces } from './places.js';
import { nextLife } from './state-file.js';
import type { HolderInfo } from './types.js';
import { ProcessWatch } from './watch.js';

/** Rejects with `DLM_STATE_UNUSABLE`. */
export async function openAlone(dir: string | undefined, holder: HolderInfo): Promise<NodeClient> {
  const host = new Host(1, await nextLife(nodePlaces(dir)));
  const watch = new ProcessWatch(host, null);
  return new NodeClient(new AlonePort(host, watch, host.addOwner('session', holder.pid, holder.command)));
}

class AlonePort extends LocalPort {
  readonly #host: Host;
  readonly #watch: ProcessWatch;

  constructor(host: Host, watch: ProcessWatch, self: Owner) {
    const leave = async ({ force, drain }: { force: boolean; drain: boolean }): Promise<void> => {
      if (drain) throw new DlmError('DLM_USAGE', 'a node inside a program has nobody to wait for', 'unlock, then leave');
      const { lockCount } = host.node;
      if (lockCount > 0 && !force) throw stillLocked(lockCount);
      await this.close();
    };
    const status = () => statusOf(host, watch, { start: 'in-process', socket: null, sessions: 1 });
    super({ host, watch, status, leave }, self);
    this.#host = host;
    this.#watch = watch;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#watch.stop();
    this.#host.close();
  }
}
