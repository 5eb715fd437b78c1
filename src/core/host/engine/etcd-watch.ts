/**
 * The history of our keys at etcd, as it happens: every event from a revision on, in
 * order and none twice for long, over whatever breaks on the way.
 *
 * The engine hears the events and judges what they mean. A stream that says nothing
 * is not noticed here: the engine reads what there is at every renewal of its lease,
 * and has the stream opened anew if it should have told something.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Endpoint, EtcdGateway } from './etcd-gateway.js';
import type { EtcdKeys, KeyEvent } from './etcd-record.js';

export interface WatchHearer {
  /** May be one that was heard before. */
  event(event: KeyEvent): void;
  /**
   * What followed the revision we know is no longer kept. Resolves with the revision to go on from, if nothing
   * was missed.
   */
  compacted(): Promise<number>;
  trouble(words: string): void;
}

interface WatchAnswer {
  readonly result?: {
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly compact_revision?: string;
    readonly events?: readonly KeyEvent[];
  };
}

/** Between two attempts to open a stream, first and at last. */
const openMillisMin = 20;
const openMillisMax = 500;

export class EtcdWatch {
  readonly #gateway: EtcdGateway;
  readonly #keys: EtcdKeys;
  readonly #hearer: WatchHearer;
  /** Nothing up to this revision is missing. */
  #known: number;
  /** Where the gateway was when the stream was opened. */
  #openedAt: Endpoint | null = null;
  #hasHeard = false;
  #stream = new AbortController();
  #isOver = false;

  constructor(gateway: EtcdGateway, keys: EtcdKeys, known: number, hearer: WatchHearer) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#known = known;
    this.#hearer = hearer;
    void this.#run();
  }

  /** Nothing that matters happened up to this revision but what was heard. */
  knows(revision: number): void {
    this.#known = Math.max(this.#known, revision);
  }

  /** Follow where the gateway is now, if that is elsewhere. */
  keepUp(): void {
    if (this.#openedAt !== null && this.#openedAt !== this.#gateway.current) this.reopen();
  }

  reopen(): void {
    this.#stream.abort();
  }

  end(): void {
    this.#isOver = true;
    this.#stream.abort();
  }

  async #run(): Promise<void> {
    let patience = openMillisMin;
    for (let attempt = 0; !this.#isOver; attempt += 1) {
      this.#stream = new AbortController();
      this.#hasHeard = false;
      try {
        await this.#follow(this.#endpointFor(attempt));
      } catch (error) {
        if (!this.#isOver && !this.#stream.signal.aborted) this.#hearer.trouble((error as Error).message);
      }
      this.#openedAt = null;
      if (this.#isOver) return;
      if (this.#hasHeard) {
        attempt = -1;
        patience = openMillisMin;
      }
      await pause(patience, undefined, { ref: false });
      patience = Math.min(2 * patience, openMillisMax);
    }
  }

  /** That of the gateway, and if that one gives nothing, the others. */
  #endpointFor(attempt: number): Endpoint {
    const { endpoints, current } = this.#gateway;
    return endpoints[(endpoints.indexOf(current) + attempt) % endpoints.length]!;
  }

  async #follow(endpoint: Endpoint): Promise<void> {
    const { signal } = this.#stream;
    let isCompacted = false;
    const request = { create_request: { ...this.#keys.all, start_revision: String(this.#known + 1) } };
    this.#openedAt = this.#gateway.current;
    await endpoint.stream<WatchAnswer>('/v3/watch', request, signal, ({ result }) => {
      if (signal.aborted) return;
      this.#hasHeard = true;
      for (const event of result?.events ?? []) {
        this.#hearer.event(event);
        this.knows(Number(event.kv.mod_revision ?? 0));
      }
      if (result?.canceled !== true) return;
      isCompacted = Number(result.compact_revision ?? 0) > 0;
      if (!isCompacted) this.#hearer.trouble(`etcd ended the watch: ${result.cancel_reason ?? 'no reason given'}`);
      this.#stream.abort();
    }).catch((error: unknown) => {
      if (!isCompacted) throw error;
    });
    if (isCompacted) this.knows(await this.#hearer.compacted());
  }
}
