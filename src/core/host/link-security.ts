/**
 * Who may be at the other end of a node link, and who may listen in.
 *
 * With a key every TCP link is TLS 1.3, authenticated by a secret that both sides have
 * (pre-shared key) and by nothing else; there are no certificates, and one that is shown
 * is refused. Without a key only links that stay on the machine are allowed, unless the
 * operator insists. Both sides of a cluster decide alike, so that there is nothing to
 * negotiate and nothing to talk anybody out of.
 *
 * A side names itself and its key: `node:ID:KEY`, KEY being a fingerprint. Several keys
 * may be accepted, the first is the one that is used; so keys are changed one node after
 * another. What the fingerprint gives away is of no use if keys are random, as they
 * must be.
 */
import { createHash, hkdfSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket, type SecureVersion } from 'node:tls';
import { DlmError } from '../base/errors.js';
import { nodeId, type NodeId } from '../base/ids.js';
import { staysHere, type NodeAddress } from './node-address.js';
import { connectIntoOneBuffer } from './one-buffer.js';
import { socketAddress } from './places.js';

/** Of a key, in bytes. */
const keyBytesMin = 16;

/** How a side names itself and its key. */
const identityShape = /^node:(\d{1,15}):([0-9a-f]{16})$/;

/** Node hands pre-shared keys over for suites with SHA-256 only. */
const settings = {
  minVersion: 'TLSv1.3' as SecureVersion,
  maxVersion: 'TLSv1.3' as SecureVersion,
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
};

interface Key {
  readonly secret: Buffer;
  readonly fingerprint: string;
}

export interface SecurityOptions {
  readonly node: NodeId;
  /** Random bytes, 16 at least; the first is used, all are accepted. */
  readonly keys: readonly Uint8Array[];
  /** Leave the machine without a key. */
  readonly isInsecure: boolean;
}

export class LinkSecurity {
  readonly #self: NodeId;
  readonly #keys: readonly Key[];
  readonly #isInsecure: boolean;
  readonly #context = createSecureContext(settings);

  constructor({ node, keys, isInsecure }: SecurityOptions) {
    this.#self = node;
    this.#keys = keys.map(keyOf);
    this.#isInsecure = isInsecure;
  }

  /** Is what is sent there encrypted, and the other side known to have the key? */
  isEncrypted(address: NodeAddress): boolean {
    return this.#keys.length > 0 && address.kind === 'tcp';
  }

  /** May we listen there, or dial? Throws `DLM_USAGE`. */
  check(address: NodeAddress): void {
    if (this.isEncrypted(address) || staysHere(address) || this.#isInsecure) return;
    throw new DlmError(
      'DLM_USAGE',
      'a node link that leaves this machine needs a key',
      'give all nodes of the cluster the same key, or allow unencrypted links on purpose with --insecure',
    );
  }

  /** Dial. `onReady` is called when the other side has proved that it has the key, if there is one. */
  dial(address: NodeAddress, onReady: () => void): Socket {
    if (!this.isEncrypted(address)) {
      const target = address.kind === 'unix' ? { path: socketAddress(address.path) } : { host: address.host, port: address.port };
      return connectIntoOneBuffer(target, onReady);
    }
    const { host, port } = address as Extract<NodeAddress, { kind: 'tcp' }>;
    const { secret, fingerprint } = this.#keys[0]!;
    const socket: TLSSocket = connect({
      ...settings,
      host,
      port,
      // A certificate proves nothing here: no authority is trusted, and one that was shown after all is refused below.
      ca: [],
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: secret, identity: `node:${this.#self}:${fingerprint}` }),
    });
    socket.once('secureConnect', () => {
      if (Object.keys(socket.getPeerCertificate() ?? {}).length === 0) onReady();
      else socket.destroy(new Error('the other side has shown a certificate instead of proving that it has the key'));
    });
    return socket;
  }

  /**
   * Answer. On links with keys `onClaimed` is called with the node that the other side's key is named for, and `onProved`
   * when it has proved that it has the key; whoever has another one can claim to be anybody.
   */
  answer(raw: Socket, address: NodeAddress, onClaimed: (node: NodeId | null) => void, onProved: (node: NodeId | null) => void): Socket {
    if (!this.isEncrypted(address)) return raw;
    let claimed: NodeId | null = null;
    const secured = new TLSSocket(raw, {
      isServer: true,
      secureContext: this.#context,
      pskCallback: (_socket: TLSSocket, identity: string) => {
        const [, id, fingerprint] = identityShape.exec(identity) ?? [];
        claimed = id === undefined ? null : nodeId(Number(id));
        onClaimed(claimed);
        return this.#keys.find((key) => key.fingerprint === fingerprint)?.secret ?? null;
      },
    } as ConstructorParameters<typeof TLSSocket>[1]);
    secured.once('secure', () => onProved(claimed));
    return secured;
  }
}

function keyOf(bytes: Uint8Array): Key {
  if (bytes.length < keyBytesMin) {
    throw new DlmError('DLM_USAGE', `a key of ${bytes.length} bytes is too short`, `make one of random bytes, ${keyBytesMin} at least`);
  }
  const secret = Buffer.from(hkdfSync('sha256', bytes, '', 'dlm node link', 32));
  return { secret, fingerprint: createHash('sha256').update('dlm key ').update(secret).digest('hex').slice(0, 16) };
}

/** Does the error mean that the two sides have different keys, or one has none? */
export function isKeyTrouble(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  return code.startsWith('ERR_SSL_') || code === 'EPROTO' || code.includes('CERT');
}

/** Does somebody who connects begin with a TLS handshake? A frame begins with its length, which has no such first byte. */
export function startsHandshake(first: Buffer): boolean {
  return first[0] === 0x16;
}

/** The node that somebody's key is named for who begins a handshake with it; null if none can be seen. Anybody can say that. */
export function claimedIn(first: Buffer): NodeId | null {
  const [identity] = /node:\d{1,15}:[0-9a-f]{16}/.exec(first.toString('latin1')) ?? [];
  const [, id] = identityShape.exec(identity ?? '') ?? [];
  return id === undefined ? null : nodeId(Number(id));
}
