/**
 * A process of its own with members of a cluster in it, that does what a test tells
 * it and reports everything its engines say, so that the test can kill it.
 */
import type { CorosyncOptions } from '../../src/core/host/engine/corosync.js';
import type { Engine, View } from '../../src/core/host/engine/engine.js';
import type { EtcdOptions } from '../../src/core/host/engine/etcd-options.js';
import { localEngine, type LocalOptions } from '../../src/core/host/engine/local.js';
import { incarnation, nodeId } from '../../src/core/base/ids.js';

/** How to open an engine, from what can be sent to another process. */
export type Opening =
  | { readonly kind: 'local'; readonly options: LocalOptions }
  | { readonly kind: 'etcd'; readonly options: EtcdOptions }
  | { readonly kind: 'corosync'; readonly options: CorosyncOptions };

/** An engine that needs much is loaded by those only that open it. */
async function open(opening: Opening): Promise<Engine> {
  if (opening.kind === 'local') return localEngine(opening.options);
  if (opening.kind === 'etcd') {
    const { etcdEngine } = await import('../../src/core/host/engine/etcd.js');
    return etcdEngine(opening.options);
  }
  const { corosyncEngine } = await import('../../src/core/host/engine/corosync.js');
  return corosyncEngine(opening.options);
}

export interface Wish {
  readonly node: number | 'auto';
  readonly name: string;
  readonly incarnation: number;
}

/** A view as it can be sent and compared. */
export type PlainView = Omit<View, 'members'> & {
  readonly members: readonly (Omit<View['members'][number], 'lockspaces'> & { readonly lockspaces: Record<string, number> })[];
};

export type Order =
  | { readonly id: number; readonly member: number; readonly verb: 'join'; readonly opening: Opening; readonly wish: Wish }
  | { readonly id: number; readonly member: number; readonly verb: 'follow' | 'leave' }
  | { readonly id: number; readonly member: number; readonly verb: 'announce'; readonly lockspaces: Record<string, number> }
  | { readonly id: number; readonly member: number; readonly verb: 'expel'; readonly node: number; readonly reason: string };

export type Report =
  | { readonly id: number; readonly result?: number; readonly error?: { readonly code: string; readonly message: string } }
  | { readonly member: number; readonly view: PlainView }
  | { readonly member: number; readonly deadline: string }
  | { readonly member: number; readonly lost: string };

const engines = new Map<number, Engine>();

const report = (what: Report): void => void process.send?.(what);

async function obey(order: Order): Promise<number | undefined> {
  const { member } = order;
  if (order.verb === 'join') {
    const engine = await open(order.opening);
    engines.set(member, engine);
    const { node, name, incarnation: life } = order.wish;
    const wanted = node === 'auto' ? node : nodeId(node);
    return engine.join({ node: wanted, name, incarnation: incarnation(life), address: `${name}:1`, weight: 1 });
  }
  const engine = engines.get(member)!;
  if (order.verb === 'leave') await engine.leave();
  else if (order.verb === 'expel') await engine.expel!(nodeId(order.node), order.reason);
  else if (order.verb === 'announce') engine.announce(new Map(Object.entries(order.lockspaces)));
  else
    engine.follow({
      view: (view) => report({ member, view: plain(view) }),
      deadline: (at) => report({ member, deadline: String(at) }),
      lost: (reason) => report({ member, lost: reason }),
    });
  return undefined;
}

function plain(view: View): PlainView {
  return { ...view, members: view.members.map((one) => ({ ...one, lockspaces: Object.fromEntries(one.lockspaces) })) };
}

process.on('message', (order: Order) => {
  obey(order).then(
    (result) => report(result === undefined ? { id: order.id } : { id: order.id, result }),
    (error: { code?: string; message: string }) => report({ id: order.id, error: { code: error.code ?? '', message: error.message } }),
  );
});
process.on('disconnect', () => process.exit());
