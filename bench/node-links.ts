/**
 * The speed of a link between two nodes: requests and their replies, echoed by another
 * process over loopback, beside a bare socket that does nothing but send bytes back.
 *
 * The contestants take turns in one run, because machines are noisy and only ratios last.
 * A request has a name of 32 bytes. The bare socket sends as many bytes for a request,
 * and one write carries all that one reading has brought.
 *
 *   node --import tsx bench/node-links.ts
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { generation, incarnation, lkid, lockspaceId, nodeId, viewId } from '../src/core/base/ids.js';
import { Transport, type LinkMember } from '../src/core/host/transport.js';
import { EX } from '../src/core/lock/mode.js';
import type { Message } from '../src/core/wire/message.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 1);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const requestBytes = 46;
const key = new Uint8Array(32).fill(7);
const envelope = { lockspace: lockspaceId(0xbeef_beef), seq: viewId(12) };

const request = (id: number): Message => ({
  kind: 'request', ...envelope, lkid: lkid(id), name: 'bench/12345'.padEnd(32, '.'), mode: EX, flags: 0, value: null, isLookup: false,
});
const reply = (id: number): Message => ({
  kind: 'requestReply', ...envelope, lkid: lkid(id), masterLkid: lkid(id + 1), standing: 'OK', mode: EX, results: 0, value: null,
  valueState: 'none', valueSequence: 0, generation: generation(3), mastership: 4_711, sequence: 1, queueNumber: 0,
});

const member = (node: number, address: string): LinkMember => ({ node: nodeId(node), incarnation: incarnation(node), address });

function openLink(node: number, isSecure: boolean, onMessages: (transport: Transport, messages: Message[]) => void): Promise<Transport> {
  const opening: Promise<Transport> = Transport.open({
    node: nodeId(node),
    incarnation: incarnation(node),
    cluster: 'bench',
    listen: ['tcp:127.0.0.1:0'],
    ...(isSecure ? { keys: [key] } : {}),
    onMessages: (_from, messages) => onMessages(transport, messages),
    onOut: () => undefined,
    onTrouble: ({ message }) => console.error(message),
  });
  let transport: Transport;
  return opening.then((opened) => (transport = opened));
}

/** The other process: answers on a link with a key, one without, and a bare socket. */
async function echo(): Promise<void> {
  const places: string[] = [];
  const transports: Transport[] = [];
  for (const isSecure of [false, true]) {
    const transport = await openLink(1, isSecure, (self, messages) => {
      for (const message of messages) if (message.kind === 'request') self.send(nodeId(2), reply(message.lkid));
    });
    transport.setMembers([member(2, 'tcp:127.0.0.1:1')]);
    transports.push(transport);
    places.push(transport.addresses[0]!);
  }
  const bare = createServer({ noDelay: true }, (socket) => socket.on('data', (chunk) => socket.write(chunk)));
  bare.listen(0, '127.0.0.1');
  await once(bare, 'listening');
  places.push(String((bare.address() as AddressInfo).port));
  process.on('message', () => {
    for (const transport of transports) {
      transport.setMembers([]);
      transport.setMembers([member(2, 'tcp:127.0.0.1:1')]);
    }
    process.send!('ready');
  });
  process.send!(places);
}

/** Exchanges a second, and the median of their times in microseconds if they come one by one. */
interface Speed {
  readonly rate: number;
  readonly p50: number;
}

class Exchange {
  #count = 0;
  #startedAt = 0;
  readonly #times: number[] = [];
  #sentAt = 0;

  begin(): void {
    this.#startedAt = this.#sentAt = performance.now();
  }

  /** So many have come back. Shall it go on? */
  came(count: number, isSingle: boolean): boolean {
    this.#count += count;
    const now = performance.now();
    if (isSingle) this.#times.push(now - this.#sentAt);
    this.#sentAt = now;
    return now - this.#startedAt < seconds * 1000;
  }

  get speed(): Speed {
    const rate = (this.#count * 1000) / (performance.now() - this.#startedAt);
    return { rate, p50: (this.#times.sort((one, other) => one - other)[this.#times.length >> 1] ?? 0) * 1000 };
  }
}

async function overLink(address: string, isSecure: boolean, outstanding: number): Promise<Speed> {
  const exchange = new Exchange();
  let done: () => void;
  const finished = new Promise<void>((resolve) => (done = resolve));
  let next = 1;
  const transport = await openLink(2, isSecure, (self, messages) => {
    if (!exchange.came(messages.length, outstanding === 1)) return done();
    for (let count = messages.length; count > 0; count -= 1) self.send(nodeId(1), request(next++));
  });
  transport.setMembers([member(1, address)]);
  while (!transport.status()[0]!.isConnected) await new Promise((resolve) => setTimeout(resolve, 5));
  exchange.begin();
  for (let count = 0; count < outstanding; count += 1) transport.send(nodeId(1), request(next++));
  await finished;
  const { speed } = exchange;
  await transport.close();
  return speed;
}

async function overBareSocket(port: number, outstanding: number): Promise<Speed> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const exchange = new Exchange();
  let left = 0;
  exchange.begin();
  socket.write(Buffer.alloc(requestBytes * outstanding));
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      left += chunk.length;
      const whole = Math.floor(left / requestBytes);
      left -= whole * requestBytes;
      if (!exchange.came(whole, outstanding === 1)) return resolve();
      if (whole > 0) socket.write(Buffer.alloc(whole * requestBytes));
    });
  });
  socket.destroy();
  return exchange.speed;
}

async function main(child: ChildProcess): Promise<void> {
  const [[plain, secure, port]] = (await once(child, 'message')) as [[string, string, string]];
  // Each contest is a session of its own, and the echo must begin it again too.
  const contestants: Readonly<Record<string, (outstanding: number) => Promise<Speed>>> = {
    'bare socket': (outstanding) => overBareSocket(Number(port), outstanding),
    link: (outstanding) => overLink(plain, false, outstanding),
    'link, TLS': (outstanding) => overLink(secure, true, outstanding),
  };
  for (const outstanding of [1, 64, 1024]) {
    const speeds = new Map<string, Speed[]>(Object.keys(contestants).map((name) => [name, []]));
    for (let round = -1; round < rounds; round += 1) {
      for (const [name, contest] of Object.entries(contestants)) {
        const speed = await contest(outstanding);
        child.send('again');
        await once(child, 'message');
        if (round >= 0) speeds.get(name)!.push(speed);
      }
    }
    console.log(`\nrequest and reply, ${outstanding} outstanding (median of ${rounds} rounds, in turn)`);
    const median = (name: string): Speed => speeds.get(name)!.sort((one, other) => one.rate - other.rate)[rounds >> 1]!;
    for (const name of speeds.keys()) {
      const { rate, p50 } = median(name);
      const time = p50 > 0 ? `, p50 ${p50.toFixed(1)} us` : '';
      console.log(`  ${name.padEnd(12)} ${(rate / 1000).toFixed(1).padStart(8)}k/s   ${(rate / median('bare socket').rate).toFixed(2)} x bare${time}`);
    }
  }
}

if (process.send !== undefined) {
  await echo();
} else {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'] });
  await main(child).finally(() => child.kill());
}
