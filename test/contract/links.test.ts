/**
 * One suite for every way from one node to another: two sessions over a made-up network
 * that loses, repeats and reorders, and real transports over TCP, TLS and Unix sockets.
 *
 * What the simulator shows of nodes holds over a socket only if both keep this.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { PeerSession } from '../../src/core/wire/session.js';
import type { Message } from '../../src/core/wire/message.js';
import { introduce, open, until, Wire, type Player } from '../host/link-troupe.js';
import { scratch } from '../host/scratch.js';
import { LossyPair, storm, stream, type Side, type Weather } from '../wire/lossy-pair.js';
import { kinds, messageOf, numbered, numberIn } from '../wire/messages.js';

/** Two nodes that know each other, and what is between them. */
interface Pair {
  send(from: Side, message: Message): void;
  /** Whatever came there, in order. */
  received(at: Side): readonly Message[];
  /** Called with what has come, when it comes. */
  onReceived(at: Side, listener: (messages: readonly Message[]) => void): void;
  /** Give what was sent a moment to go out. */
  breathe(): Promise<void>;
  /** Break the connection; there will be another. */
  cut(): void;
  /** Until both have that many. */
  settle(count: number): Promise<void>;
}

function simulated(weather: Weather): () => Promise<Pair> {
  return async () => {
    const pair = new LossyPair(PeerSession, 20_05, weather);
    const told: [number, number] = [0, 0];
    const listeners: ((messages: readonly Message[]) => void)[] = [() => undefined, () => undefined];
    /** Tell what is new; the listeners may send, and then there is more. */
    const tell = (): boolean => {
      let isNew = false;
      for (const side of [0, 1] as const) {
        const news = pair.received[side].slice(told[side]);
        told[side] += news.length;
        if (news.length > 0) listeners[side]!(news);
        isNew ||= news.length > 0;
        pair.flush(side);
      }
      return isNew;
    };
    return {
      send: (from, message) => pair.send(from, message),
      received: (at) => pair.received[at],
      onReceived: (at, listener) => (listeners[at] = listener),
      breathe: async () => {
        tell();
        pair.pass(5);
      },
      cut: () => pair.cut(),
      settle: async () => {
        tell();
        do pair.settle();
        while (tell());
      },
    };
  };
}

async function real(one: Player, other: Player, cut: () => void): Promise<Pair> {
  const players = [one, other] as const;
  const received: readonly [Message[], Message[]] = [[], []];
  const listeners: ((messages: readonly Message[]) => void)[] = [() => undefined, () => undefined];
  for (const side of [0, 1] as const) {
    players[side].onHeard = (_from, messages) => {
      received[side].push(...messages);
      listeners[side]!(messages);
    };
  }
  await until('they are connected', () => one.isConnectedTo(other) && other.isConnectedTo(one));
  return {
    send: (from, message) => players[from].transport.send(players[1 - from]!.node, message),
    received: (at) => received[at],
    onReceived: (at, listener) => (listeners[at] = listener),
    breathe: () => new Promise((resolve) => setTimeout(resolve, 1)),
    cut,
    settle: (count) => until('all has come', () => received.every(({ length }) => length >= count)),
  };
}

async function overTcp(context: TestContext, keys: readonly Uint8Array[]): Promise<Pair> {
  const one = await open(context, 1, { keys });
  const other = await open(context, 2, { keys });
  const wire = await Wire.to(context, one);
  introduce(one, other, wire);
  return real(one, other, () => wire.cut());
}

async function overUnixSockets(context: TestContext): Promise<Pair> {
  const folder = scratch(context);
  const one = await open(context, 1, { listen: [`unix:${folder}/1.sock`] });
  const other = await open(context, 2, { listen: [`unix:${folder}/2.sock`] });
  const wire = await Wire.to(context, one, `${folder}/wire.sock`);
  introduce(one, other, wire);
  return real(one, other, () => wire.cut());
}

const ways: Readonly<Record<string, (context: TestContext) => Promise<Pair>>> = {
  'a network that loses, repeats and reorders': simulated(storm),
  'a made-up stream': simulated(stream),
  TCP: (context) => overTcp(context, []),
  'TLS with a shared key': (context) => overTcp(context, [new Uint8Array(32).fill(7)]),
  'Unix sockets': overUnixSockets,
};

const numbers = (messages: readonly Message[]): number[] => messages.map(numberIn);
const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

for (const [way, open] of Object.entries(ways)) {
  describe(way, () => {
    test('messages of every kind arrive as they were sent', async (context) => {
      const pair = await open(context);
      const sent = kinds.flatMap((kind) => fc.sample(messageOf(kind), { numRuns: 20, seed: 20_05 }));
      for (const message of sent) for (const side of [0, 1] as const) pair.send(side, message);
      await pair.settle(sent.length);
      assert.deepEqual(pair.received(0), sent);
      assert.deepEqual(pair.received(1), sent);
    });

    test('each once and in order, while the connection is broken again and again', async (context) => {
      const pair = await open(context);
      const count = 3_000;
      for (let number = 0; number < count; number += 1) {
        for (const side of [0, 1] as const) pair.send(side, numbered(number));
        if (number % 20 === 0) await pair.breathe();
        if (number % 300 === 150) pair.cut();
      }
      await pair.settle(count);
      assert.deepEqual(numbers(pair.received(0)), upTo(count));
      assert.deepEqual(numbers(pair.received(1)), upTo(count));
    });

    test('answers follow what they answer, in its order', async (context) => {
      const pair = await open(context);
      const count = 1_000;
      pair.onReceived(0, (messages) => messages.forEach((message) => pair.send(0, message)));
      for (let number = 0; number < count; number += 1) {
        pair.send(1, numbered(number));
        if (number % 50 === 0) await pair.breathe();
        if (number % 250 === 100) pair.cut();
      }
      await pair.settle(count);
      assert.deepEqual(numbers(pair.received(1)), upTo(count));
    });

    test('a connection that breaks while nothing is on its way is no news', async (context) => {
      const pair = await open(context);
      for (let number = 0; number < 5; number += 1) {
        for (const side of [0, 1] as const) pair.send(side, numbered(number));
        await pair.settle(number + 1);
        pair.cut();
      }
      assert.deepEqual(numbers(pair.received(0)), upTo(5));
      assert.deepEqual(numbers(pair.received(1)), upTo(5));
    });
  });
}
