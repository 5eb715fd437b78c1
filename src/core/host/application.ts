/**
 * The applications that are attached to lockspaces of this node: who they are, what they
 * are asked to do, and what becomes of a lockspace whose application has died.
 *
 * An application is a session that has attached itself. It is asked to suspend, to
 * recover and to resume (node/effect.ts), and answers; what it does is its own affair
 * (application-handle.ts). It detaches in good order, or its session ends: then it has
 * died, in whatever way.
 *
 *   died ──▶ nothing of the lockspace is given up any more
 *        ──▶ its processes are killed, and whoever holds locks there is told to stop
 *        ──▶ all of them are seen to have ended
 *        ──▶ the node leaves the lockspace as failed: others put its slot in order
 *
 * A recovery process shows who it is by a secret, made for one piece of work and good
 * until that is answered. Nothing else can set the mark that lets a request through
 * while applications are suspended.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { DlmError } from '../base/errors.js';
import { slot, viewId } from '../base/ids.js';
import { recoveryMark } from '../lock/flags.js';
import type { RecoverSlot, Resume, Suspend } from '../node/effect.js';
import type { Input } from '../node/input.js';
import { defaultConfig, parseOrder, type LockspaceConfig, type Order } from '../node/snapshot.js';
import type { Host, Owner } from './host.js';
import { errorOfRefusal } from './outcome.js';
import type { ApplicationAnswer, ApplicationEvent, ApplicationListener, ApplicationTerms } from './port.js';
import { lockspaceOfRecovery, recoveryIdentity } from './recovery-identity.js';
import { ProcessFamily } from './process-family.js';
import type { ProcessWatch } from './watch.js';
import { checkLockspaceName } from './wish.js';

/** What an application can be asked for. */
export type ApplicationEffect = Suspend | RecoverSlot | Resume;

const defaultOrder = 'gfs';
const secretBytes = 16;

interface Attached {
  readonly owner: Owner;
  readonly listener: ApplicationListener;
  readonly terms: ApplicationTerms;
  readonly watch: ProcessEnder;
  /** What shows that a process belongs to the recovery that goes on; null: none does. */
  identity: string | null;
}

/** What of the processes here it needs to know. */
export type ProcessEnder = Pick<ProcessWatch, 'protect' | 'unprotect' | 'killChildren' | 'end'>;

export class Applications {
  readonly #host: Host;
  readonly #attached = new Map<string, Attached>();
  /** Lockspaces whose application has died, and what waits until they are left. */
  readonly #dying = new Map<string, (() => void)[]>();
  log: (line: string) => void = () => undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Throws `DLM_NO_CLUSTER`, `DLM_LOCKSPACE_IN_USE`, `DLM_RULE_BROKEN`, `DLM_OWNER_INVALID`. */
  attach(lockspace: string, owner: Owner, terms: ApplicationTerms, listener: ApplicationListener, watch: ProcessEnder): void {
    checkLockspaceName(lockspace);
    if (this.#host.cluster === null) {
      throw new DlmError('DLM_NO_CLUSTER', `this node is a member of no cluster: nobody else would recover what an application of lockspace '${lockspace}' leaves behind`);
    }
    if (this.#attached.has(lockspace) || this.#dying.has(lockspace)) {
      throw new DlmError('DLM_LOCKSPACE_IN_USE', `lockspace '${lockspace}' has an application on this node`, 'there is one for each node; end it first');
    }
    const before = this.#host.node.stack(lockspace)?.lockspace.config ?? null;
    const order = orderFor(terms.order, before);
    // A process that has just spoken is not beginning another program: which mark it has can be seen.
    if (terms.isClient) watch.protect(owner, ProcessFamily.of(owner.pid), owner.pid);
    this.#attached.set(lockspace, { owner, listener, terms, watch, identity: null });
    try {
      this.#join(lockspace, before, { ...(before ?? defaultConfig), order: order.text }, terms.suspendMillis);
    } catch (error) {
      this.#forget(lockspace, watch);
      throw error;
    }
    this.log(`lockspace ${lockspace} has an application, process ${owner.pid}`);
  }

  /** Whoever has joined without an application leaves, and joins anew. */
  #join(lockspace: string, before: LockspaceConfig | null, config: LockspaceConfig, suspendMillis: number): void {
    if (before !== null) this.#turn({ kind: 'leaveLockspace', lockspace, force: false });
    try {
      this.#turn({ kind: 'joinLockspace', lockspace, config, application: { suspendMillis } });
    } catch (error) {
      if (before !== null) this.#turn({ kind: 'joinLockspace', lockspace, config: before });
      throw error;
    }
  }

  /** Throws `DLM_PROTOCOL` if nobody has asked that. */
  answer(lockspace: string, owner: Owner, answer: ApplicationAnswer): void {
    const attached = this.#ofOwner(lockspace, owner);
    const { isDone } = answer;
    if (answer.to === 'suspend') this.#turn({ kind: 'suspended', lockspace, isDone });
    else {
      attached.identity = null;
      this.#turn({ kind: 'slotRecovered', lockspace, slot: answer.slot === null ? null : slot(answer.slot), since: viewId(answer.since), isDone });
    }
  }

  /** Throws `DLM_LOCKSPACE_IN_USE`. */
  detach(lockspace: string, owner: Owner, watch: ProcessEnder): void {
    this.#ofOwner(lockspace, owner);
    this.#turn({ kind: 'leaveLockspace', lockspace, force: false });
    this.#forget(lockspace, watch);
    this.log(`lockspace ${lockspace} was left with its application`);
  }

  /** The lockspaces that have an application here. */
  get lockspaces(): string[] {
    return [...this.#attached.keys()].sort();
  }

  /** The node is over: whoever is an application here must end. */
  tellLost(why: string): void {
    for (const { listener } of this.#attached.values()) listener.lost(new DlmError('DLM_LOST', why));
  }

  /** This node had to leave the lockspace, because the others have it otherwise. Nothing has begun yet that would have to end. */
  misfit(lockspace: string, reason: DlmError): void {
    const attached = this.#attached.get(lockspace);
    if (attached === undefined) return;
    this.#forget(lockspace, attached.watch);
    attached.listener.lost(reason);
  }

  carryOut(effect: ApplicationEffect): void {
    const { lockspace } = effect;
    const attached = this.#attached.get(lockspace);
    const stack = this.#host.node.stack(lockspace);
    // Within the same turn it may have been left again, as the others have it otherwise.
    if (attached === undefined || this.#dying.has(lockspace) || stack === null) return;
    const about = {
      lockspace,
      generation: stack.lockspace.tables.generation as number,
      slot: stack.recovery.slots.find(({ node }) => node === this.#host.self)?.slot ?? null,
    };
    attached.listener.hear(effect.kind === 'recover' ? this.#recover(attached, effect, about) : { ...about, do: effect.kind });
  }

  #recover(attached: Attached, effect: RecoverSlot, about: Omit<ApplicationEvent, 'do'>): ApplicationEvent {
    const { slot: failedSlot, victim: failedNode, since, lockspace, generation } = effect;
    const recovery = recoveryIdentity(lockspace, generation, randomBytes(secretBytes).toString('hex'));
    attached.identity = recovery;
    return { ...about, do: 'recover', generation, failedSlot, failedNode, since, recovery };
  }

  /** The mark of a request that shows this identity; none without one, or with one of another lockspace. Throws `DLM_RECOVERY_OVER`. */
  markFor(lockspace: string, identity: string | null | undefined): number {
    if (identity === null || identity === undefined || lockspaceOfRecovery(identity) !== lockspace) return 0;
    const known = this.#attached.get(lockspace)?.identity ?? null;
    if (known !== null && isSame(known, identity)) return recoveryMark;
    throw new DlmError('DLM_RECOVERY_OVER', `this process shows the identity of a recovery of lockspace '${lockspace}' that is not going on here`);
  }

  /** A party is gone: was it an application? Everything else of it ends with `watch.end`. */
  end(owner: Owner, watch: ProcessEnder): void {
    const theirs = [...this.#attached].filter(([, attached]) => attached.owner === owner).map(([lockspace]) => lockspace);
    if (theirs.length === 0) watch.end(owner);
    else void this.#bury(theirs, owner, watch);
  }

  /** Is nothing of that lockspace to be given up? */
  isFrozen(input: Input): boolean {
    if (this.#dying.size === 0 || !('lockspace' in input) || !this.#dying.has(input.lockspace)) return false;
    return input.kind !== 'leaveLockspace' || input.isFailed !== true;
  }

  /** Would the end of this owner give up what must stay? Then `later` is called when it need not. */
  holdsBack(owner: Owner, later: () => void): boolean {
    for (const [lockspace, waiting] of this.#dying) {
      if (this.#host.node.held(owner.id, lockspace).length === 0) continue;
      waiting.push(later);
      return true;
    }
    return false;
  }

  async #bury(lockspaces: readonly string[], owner: Owner, watch: ProcessEnder): Promise<void> {
    for (const lockspace of lockspaces) {
      const why = `the application of lockspace '${lockspace}' has died`;
      this.log(`${why}: process ${owner.pid} is gone`);
      this.#dying.set(lockspace, []);
      this.#host.tellLost(this.#host.node.held(null, lockspace), why, 'DLM_LOCKSPACE_UNKNOWN');
    }
    const mayUse = ({ id }: Owner): boolean => lockspaces.some((lockspace) => this.#host.node.held(id, lockspace).length > 0);
    await watch.killChildren(owner, mayUse, (children) => {
      this.log(`waits for the end of process ${children.map(({ pid }) => pid).join(', ')}, which may still use what the application used`);
    });
    for (const lockspace of lockspaces) {
      this.#attached.delete(lockspace);
      this.#host.turn({ kind: 'leaveLockspace', lockspace, force: true, isFailed: true });
      this.log(`nothing of the application of lockspace ${lockspace} is left; others put in order what it leaves behind`);
      const waiting = this.#dying.get(lockspace) ?? [];
      this.#dying.delete(lockspace);
      for (const later of waiting) later();
    }
    watch.end(owner);
  }

  #forget(lockspace: string, watch: ProcessEnder): void {
    const attached = this.#attached.get(lockspace);
    this.#attached.delete(lockspace);
    if (attached === undefined || !attached.terms.isClient) return;
    const isStillOne = [...this.#attached.values()].some(({ owner, terms }) => owner === attached.owner && terms.isClient);
    if (!isStillOne) watch.unprotect(attached.owner, attached.owner.pid);
  }

  #ofOwner(lockspace: string, owner: Owner): Attached {
    const attached = this.#attached.get(lockspace);
    if (attached?.owner === owner) return attached;
    throw new DlmError('DLM_PROTOCOL', `this session has no application attached to lockspace '${lockspace}'`);
  }

  #turn(input: Input): void {
    const refusal = this.#host.turn(input);
    if (refusal !== null) throw errorOfRefusal(refusal);
  }
}

/** The order wanted; else the one that the lockspace has here, if it has something for an application to do. Throws `DLM_RULE_BROKEN`. */
function orderFor(wanted: string | undefined, before: LockspaceConfig | null): Order {
  const present = before?.order ?? null;
  const order = parseOrder(wanted ?? (present !== null && concernsApplications(parseOrder(present)) ? present : defaultOrder));
  if ('problem' in order) throw new DlmError('DLM_RULE_BROKEN', order.problem);
  if (concernsApplications(order)) return order;
  throw new DlmError('DLM_RULE_BROKEN', `in the order '${order.text}' there is nothing for an application to do`, `name one that has suspend or app, as ${defaultOrder} has`);
}

const concernsApplications = (order: ReturnType<typeof parseOrder>): boolean =>
  !('problem' in order) && (order.steps.has('suspend') || order.steps.has('app'));

function isSame(one: string, other: string): boolean {
  const [known, shown] = [Buffer.from(one), Buffer.from(other)];
  return known.length === shown.length && timingSafeEqual(known, shown);
}
