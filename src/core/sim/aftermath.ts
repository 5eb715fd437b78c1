/**
 * What follows failures in a world: who is asked to switch machines off, applications,
 * and the disk that owners write to.
 *
 * It carries out the effects that are about that, and knows which of it is still under
 * way. The nodes decide; here is only what answers them.
 */
import type { NodeId } from '../base/ids.js';
import type { Prng } from '../base/prng.js';
import type { AftermathEffect } from '../node/effect.js';
import { parseOrder, type FencingConfig, type Order } from '../node/snapshot.js';
import type { AftermathOptions } from './aftermath-options.js';
import { Agents, type AgentPort } from './agents.js';
import { Applications } from './applications.js';
import { Disk, type Token } from './disk.js';
import type { Machine } from './machine.js';
import type { Ticket } from './ticket.js';

/** What it needs of the world. */
export interface AftermathPort extends AgentPort {
  readonly nodes: readonly NodeId[];
  /** Its node has ended itself, as failed. */
  giveUp(machine: Machine, reason: string): void;
}

export class Aftermath {
  readonly agents: Agents | null;
  readonly applications: Applications | null;
  readonly order: Order;
  readonly #disk: Disk | null;

  constructor(
    readonly options: AftermathOptions,
    readonly prng: Prng,
    readonly port: AftermathPort,
  ) {
    const { fencing, application, hasDisk } = options;
    this.agents = fencing === null ? null : new Agents(fencing, prng.fork('agents'), port);
    this.applications = application === null ? null : new Applications(application, prng.fork('applications'), port);
    this.#disk = hasDisk ? new Disk() : null;
    this.order = parseOrder(options.order) as Order;
  }

  /** Is nobody working at anything here? */
  get isIdle(): boolean {
    return (this.agents?.isIdle ?? true) && (this.applications?.isIdle ?? true);
  }

  /** What a node is told of fencing when it comes to life. */
  fencingOf(node: NodeId): FencingConfig | null {
    const { fencing } = this.options;
    if (fencing === null) return null;
    const { delayMillis, postJoinMillis, retryMillis, hasStartup } = fencing;
    return { isOn: true, delayMillis: delayMillis[node - 1]!, postJoinMillis, retryMillis, startup: hasStartup ? this.port.nodes : [] };
  }

  carryOut(machine: Machine, effect: AftermathEffect): void {
    const { life, port } = machine;
    switch (effect.kind) {
      case 'fence':
        this.agents!.run(machine, effect);
        break;
      case 'cancelFence':
        this.agents!.cancel(machine, effect);
        break;
      case 'suspend':
        this.applications!.suspend(machine, effect);
        break;
      case 'recover':
        this.applications!.recover(machine, effect);
        break;
      case 'resume':
        this.applications!.resume(machine, effect);
        break;
      case 'step': {
        const { lockspace, view, step, state, node, victim } = effect;
        port.emit({ kind: 'step', at: port.agenda.now, life, lockspace, view, step, state, node, victim });
        break;
      }
      case 'giveUp':
        this.port.giveUp(machine, effect.reason);
        break;
    }
  }

  ended(machine: Machine): void {
    this.agents?.ended(machine.life);
    this.applications?.ended(machine.life);
  }

  /** An owner who holds a lock writes to what it protects, if it may touch the data now. */
  write({ life, port }: Machine, { id, lockspace, resource, token }: Ticket): void {
    const state = this.applications?.stateOf(life, lockspace) ?? null;
    if (this.#disk === null || token === null || (this.order.steps.has('suspend') && state !== 'running')) return;
    const isTaken = this.#disk.write(`${lockspace}/${resource}`, token);
    port.emit({ kind: 'wrote', at: port.agenda.now, life, claim: id, lockspace, resource, ...tokenOf(token), isTaken });
  }

  get hasDisk(): boolean {
    return this.#disk !== null;
  }
}

const tokenOf = ({ generation, mastership, sequence }: Token): Token => ({ generation, mastership, sequence });
