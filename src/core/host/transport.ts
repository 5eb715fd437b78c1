/**
 * The links between this node and the other members: one connection a pair, over which
 * every message arrives once and in order as long as both live.
 *
 * Whoever drives the node says who the members are (`setMembers`), sends, and is given
 * what came. Of two nodes the one with the greater number dials. Both say who they are
 * and whom they mean (hello.ts); whoever is not a member, or another life of one, is told
 * to try again later, since views arrive at different moments. The loss of a connection
 * loses nothing: the link is dialled again, ever more rarely, up to once a second.
 *
 * A member that is dropped or replaced by another life takes its link with it. That a
 * peer does not answer is no news for anybody here: who has failed is decided elsewhere.
 * Only when its messages have become too many they are dropped, and with them the link:
 * the peer, which may be stopped, cannot go on as this life, and is told so as soon as it
 * can be reached (`onOut` on its side). If both have dropped messages, the one that dials
 * goes.
 *
 * Kin: fs/dlm/lowcomms.c, midcomms.c.
 */
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { millis, type Incarnation, type Millis, type NodeId } from '../base/ids.js';
import { encodeHello, type Greeting, type Refusal } from '../wire/hello.js';
import type { Message } from '../wire/message.js';
import type { SessionCounts } from '../wire/session.js';
import { Clock } from './clock.js';
import { hearGreeting } from './link-greeting.js';
import { LinkListener } from './link-listener.js';
import { LinkSecurity } from './link-security.js';
import { nameTrouble, otherKeys, sentences, type LinkTrouble, type TroubleKind } from './link-trouble.js';
import { parseNodeAddress, printNodeAddress, type NodeAddress } from './node-address.js';
import { PeerLink } from './peer-link.js';

/** Before dialling again, doubled each time in vain; a random half of it is left out. */
const redialMillis = 20;
const redialMillisMax = 1_000;
/** How often the same is told of those who are no member. */
const strangerMillis = 60_000;
/** How long the last messages may take when the transport closes. */
const closeMillis = 500;

export interface LinkMember {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** `tcp:HOST:PORT` or `unix:PATH`. */
  readonly address: string;
}

export interface TransportOptions {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** Nodes of other clusters are refused. One character a byte, 64 at most. */
  readonly cluster: string;
  /** Where to be reached; port 0 means any. */
  readonly listen: readonly string[];
  /** Shared by the cluster, random, 16 bytes or more; the first is used, all are accepted. None: links stay on this machine. */
  readonly keys?: readonly Uint8Array[];
  /** Let links leave this machine without a key. */
  readonly insecure?: boolean;
  readonly backlogBytesMax?: number;
  /** What a peer sent, in order. Called while the socket is read. */
  readonly onMessages: (from: NodeId, messages: Message[]) => void;
  /** That member has dropped messages for this life of ours, which has to end. */
  readonly onOut: (by: NodeId) => void;
  /** The same trouble with the same peer is told once, until it was connected in between; with strangers, once a minute. */
  readonly onTrouble: (trouble: LinkTrouble) => void;
}

export interface LinkStatus {
  readonly node: NodeId;
  readonly address: string;
  readonly isConnected: boolean;
  readonly isEncrypted: boolean;
  /** Messages for it have been dropped. */
  readonly isOverfull: boolean;
  /** Not connected, because the two have no key in common; or so somebody says in its name. */
  readonly hasOtherKey: boolean;
  readonly counts: SessionCounts;
}

/** What we know of a member beside its link. */
interface Peer {
  readonly link: PeerLink;
  address: NodeAddress;
  /** The connection that is being made, if any, and when to make the next one. */
  dialling: Socket | null;
  redialAt: Millis | null;
  /** Dialled in vain, one after another. */
  failures: number;
  /** The last attempt has failed for that, or none is made without a key; see `LinkStatus`. */
  hasOtherKey: boolean;
  /** The last trouble that was told. */
  told: string;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #security: LinkSecurity;
  readonly #listener: LinkListener;
  readonly #clock = new Clock();
  readonly #now = (): Millis => this.#clock.now();
  readonly #peers = new Map<NodeId, Peer>();
  #toldOfStrangers = { what: '', at: 0 };
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Infinity;
  #isClosed = false;

  /** Listen. Throws `DLM_USAGE` or `DLM_STATE_UNUSABLE`. */
  static async open(options: TransportOptions): Promise<Transport> {
    const transport = new Transport(options);
    await transport.#listener.listen();
    return transport;
  }

  private constructor(options: TransportOptions) {
    this.#options = options;
    this.#security = new LinkSecurity({ node: options.node, keys: options.keys ?? [], isInsecure: options.insecure ?? false });
    this.#listener = new LinkListener({
      addresses: options.listen.map(parseNodeAddress),
      security: this.#security,
      judge: (hello, claimed) => this.#judge(hello, claimed),
      greetingTo: (hello) => this.#greeting('welcome', this.#peers.get(hello.from)!),
      onWelcomed: (hello, socket, reader) => this.#connected(this.#peers.get(hello.from)!, hello, () => this.#peers.get(hello.from)!.link.attach(socket, reader)),
      onFarewell: options.onOut,
      onOtherKey: (claimed) => this.#hearOtherKey(claimed),
      onTrouble: (kind, message) => this.#tell({ kind, node: null, message }),
    });
  }

  /** Where it is to be reached, with the ports that were taken. */
  get addresses(): readonly string[] {
    return this.#listener.addresses.map(printNodeAddress);
  }

  /** Who is to be linked with; ourselves among them is left out. Links of others end, with whatever was on its way. */
  setMembers(members: readonly LinkMember[]): void {
    const others = new Map(members.filter(({ node }) => node !== this.#options.node).map((member) => [member.node, member]));
    for (const [node, peer] of this.#peers) {
      if (others.get(node)?.incarnation !== peer.link.incarnation) this.#forget(node, peer);
    }
    for (const member of others.values()) this.#know(member);
    this.#armTimer();
  }

  /** Send to a member. To nobody we know, or whose link is dead, it goes nowhere: it is not a member, or will not be for long. */
  send(to: NodeId, message: Message): void {
    this.#peers.get(to)?.link.send(message);
  }

  status(): LinkStatus[] {
    return [...this.#peers.values()].map(({ link, address, hasOtherKey }) => ({
      node: link.node,
      address: printNodeAddress(address),
      isConnected: link.isConnected,
      isEncrypted: this.#security.isEncrypted(address),
      isOverfull: link.isDead,
      hasOtherKey,
      counts: link.counts(),
    }));
  }

  /** Send what has been collected to those who are connected, then hang up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const closing = [...this.#peers.values()].map(({ link, dialling }) => {
      dialling?.destroy();
      return link.end(true);
    });
    this.#peers.clear();
    await Promise.all([this.#listener.close(), ...closing.map(whenClosed)]);
  }

  #know(member: LinkMember): void {
    const known = this.#peers.get(member.node);
    const address = parseNodeAddress(member.address);
    if (known !== undefined) {
      known.address = address;
      return;
    }
    const { incarnation: self, backlogBytesMax, onMessages } = this.#options;
    const link = new PeerLink(
      {
        self,
        node: member.node,
        incarnation: member.incarnation,
        backlogBytesMax,
        now: this.#now,
        onMessages,
        onDeadline: this.#armFor,
        onLost: (lost, why) => this.#lost(lost, why),
        onOverfull: () => this.#overfull(peer),
      },
      randomInt(1, 2 ** 48 - 1),
    );
    const peer: Peer = { link, address, dialling: null, redialAt: null, failures: 0, hasOtherKey: false, told: '' };
    this.#peers.set(member.node, peer);
    if (this.#isDialler(member.node)) this.#dial(peer);
  }

  #overfull(peer: Peer): void {
    const { node } = peer.link;
    this.#tell({ kind: 'overfull', node, message: `node ${node} leaves too much unacknowledged: it is sent nothing more, and is told to come back as another life` });
    if (this.#isDialler(node) && peer.dialling === null) this.#redialLater(peer);
  }

  #forget(node: NodeId, peer: Peer): void {
    this.#peers.delete(node);
    peer.dialling?.destroy();
    peer.link.end(false);
  }

  #isDialler(node: NodeId): boolean {
    return this.#options.node > node;
  }

  #dial(peer: Peer): void {
    peer.redialAt = null;
    const first = peer.link.isDead ? 'farewell' : 'hello';
    try {
      this.#security.check(peer.address);
    } catch (error) {
      peer.hasOtherKey = true;
      return this.#tell({ kind: 'address', node: peer.link.node, message: (error as Error).message });
    }
    const socket = this.#security.dial(peer.address, () => socket.write(encodeHello(this.#greeting(first, peer))));
    peer.dialling = socket;
    // Once greeted, a connection's errors are told by its end.
    socket.on('error', () => undefined);
    hearGreeting(socket, (heard) => {
      if (peer.dialling !== socket) return void socket.destroy();
      peer.dialling = null;
      if (heard.kind === 'hello' && heard.hello.type === 'refusal' && heard.hello.reason === 'lostMessages') return this.#out(peer, socket);
      if (peer.link.isDead) return this.#failed(peer, socket, null, '');
      if (heard.kind === 'gone') return this.#failed(peer, socket, ...nameTrouble(heard.error));
      if (heard.kind === 'strange') return this.#failed(peer, socket, 'malformed', heard.error.message);
      const { hello } = heard;
      if (hello.type === 'refusal' && hello.reason === 'otherKey' && !this.#security.isEncrypted(peer.address)) return this.#failed(peer, socket, 'otherKey', otherKeys);
      if (hello.type === 'refusal') return this.#failed(peer, socket, 'refused', `node ${peer.link.node} refuses: ${sentences[hello.reason]}`);
      const refusal = this.#judge(hello, peer.link.node);
      if (refusal !== null) return this.#failed(peer, socket, 'refused', `node ${hello.from} answered: ${sentences[refusal]}`);
      this.#connected(peer, hello, () => peer.link.attach(socket, heard.reader));
    });
  }

  /** `kind` null: that is no news. */
  #failed(peer: Peer, socket: Socket, kind: TroubleKind | null, message: string): void {
    socket.destroy();
    if (this.#isClosed || this.#peers.get(peer.link.node) !== peer) return;
    if (kind !== null) {
      peer.hasOtherKey = kind === 'otherKey';
      this.#tell({ kind, node: peer.link.node, message });
    }
    this.#redialLater(peer);
  }

  /** Whoever does not have our key can claim to be anybody: it is told of a member that is not connected, and nothing else follows. */
  #hearOtherKey(claimed: NodeId | null): void {
    const peer = claimed === null || this.#isDialler(claimed) ? undefined : this.#peers.get(claimed);
    if (peer === undefined || peer.link.isConnected) return this.#tell({ kind: 'otherKey', node: null, message: 'somebody without our key, or with another one, tried to connect' });
    peer.hasOtherKey = true;
    this.#tell({ kind: 'otherKey', node: peer.link.node, message: 'it, or somebody in its name, tried to connect without our key, or with another one' });
  }

  #out(peer: Peer, socket: Socket): void {
    socket.destroy();
    if (!this.#isClosed && this.#peers.get(peer.link.node) === peer) this.#options.onOut(peer.link.node);
  }

  #redialLater(peer: Peer): void {
    const wait = Math.min(redialMillisMax, redialMillis * 2 ** Math.min(peer.failures, 16));
    peer.failures += 1;
    peer.redialAt = millis(this.#now() + Math.ceil(wait * (0.5 + Math.random() / 2)));
    this.#armTimer();
  }

  #connected(peer: Peer, greeting: Greeting, attach: () => void): void {
    peer.link.peerSession = greeting.session;
    peer.told = '';
    peer.hasOtherKey = false;
    peer.redialAt = null;
    attach();
    this.#armTimer();
  }

  #lost(link: PeerLink, why: string | null): void {
    const peer = this.#peers.get(link.node);
    if (peer?.link !== link || this.#isClosed) return;
    if (why !== null) this.#tell({ kind: why.startsWith('nothing') ? 'stalled' : 'malformed', node: link.node, message: why });
    if (!this.#isDialler(link.node)) return;
    if (link.hasWorked) peer.failures = 0;
    this.#redialLater(peer);
  }

  #greeting(type: Greeting['type'], { link }: Peer): Greeting {
    const { cluster, node: from, incarnation: fromIncarnation } = this.#options;
    const { node: to, incarnation: toIncarnation, ownSession: session, peerSession } = link;
    return { type, cluster, from, fromIncarnation, to, toIncarnation, session, peerSession };
  }

  /** May the one who says this be the other end of a link? `claimed` is who the key or the dialled address says it is. */
  #judge(hello: Greeting, claimed: NodeId | null): Refusal | null {
    const { cluster, node, incarnation } = this.#options;
    const isDialler = hello.type !== 'welcome';
    if (hello.cluster !== cluster) return 'otherCluster';
    if (hello.to !== node || hello.from === node || isDialler !== hello.from > node) return 'otherNode';
    if (claimed !== null && claimed !== hello.from) return isDialler ? 'otherKey' : 'otherNode';
    if (hello.toIncarnation !== incarnation) return 'otherIncarnation';
    const link = this.#peers.get(hello.from)?.link;
    if (link === undefined) return 'unknownPeer';
    if (hello.fromIncarnation !== link.incarnation) return 'otherIncarnation';
    if (link.isDead) return 'lostMessages';
    const isSame = (one: number | null, other: number | null): boolean => one === null || other === null || one === other;
    return isSame(hello.session, link.peerSession) && isSame(hello.peerSession, link.ownSession) ? null : 'otherSession';
  }

  #tell(trouble: LinkTrouble): void {
    const peer = trouble.node === null ? undefined : this.#peers.get(trouble.node);
    const told = `${trouble.kind} ${trouble.message}`;
    if (peer?.told === told || (trouble.node === null && this.#isRecent(told))) return;
    if (peer !== undefined) peer.told = told;
    this.#options.onTrouble(trouble);
  }

  /** Was that said of a stranger a short while ago? A stranger tries again every second. */
  #isRecent(told: string): boolean {
    const { what, at } = this.#toldOfStrangers;
    if (what === told && this.#now() - at < strangerMillis) return true;
    this.#toldOfStrangers = { what: told, at: this.#now() };
    return false;
  }

  readonly #armFor = (link: PeerLink): void => {
    if ((link.nextDeadline() ?? Infinity) < this.#timerAt) this.#armTimer();
  };

  /** One timer for all links; it is set again only if it would come too late. */
  #armTimer(): void {
    if (this.#isClosed) return;
    let next = Infinity;
    for (const { link, redialAt } of this.#peers.values()) next = Math.min(next, link.nextDeadline() ?? Infinity, redialAt ?? Infinity);
    if (next >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = next;
    this.#timer = setTimeout(this.#onTimer, Math.max(1, next - this.#now()));
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    this.#timerAt = Infinity;
    const now = this.#now();
    for (const peer of this.#peers.values()) {
      const due = peer.link.nextDeadline();
      if (due !== null && due <= now) peer.link.tick(now);
      if (peer.redialAt !== null && peer.redialAt <= now) this.#dial(peer);
    }
    this.#armTimer();
  };
}

function whenClosed(socket: Socket | null): Promise<void> {
  if (socket === null || socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), closeMillis);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
  });
}
