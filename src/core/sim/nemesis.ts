/**
 * What goes wrong in a world, and when.
 *
 * It draws a kind of fault at drawn moments, by the weights of the seed, and undoes
 * it later. Nothing is spared, a majority neither: while there is none, nothing may
 * be granted, and that too is to be seen.
 */
import { millis, type NodeId } from '../base/ids.js';
import type { Prng } from '../base/prng.js';
import type { Agenda } from './agenda.js';
import type { Engine } from './engine.js';
import type { Machine } from './machine.js';
import type { Network } from './network.js';
import { faultKinds, type FaultKind, type NemesisOptions } from './options.js';
import type { Frame } from './link.js';

/** What the nemesis can do to a world. */
export interface NemesisPort {
  readonly machines: readonly Machine[];
  readonly network: Network<Frame>;
  readonly engine: Engine;
  readonly lockspaces: readonly string[];
  note(words: string): void;
  crash(machine: Machine): void;
  start(machine: Machine): void;
  pause(machine: Machine): void;
  resume(machine: Machine): void;
  join(machine: Machine, lockspace: string): void;
  leave(machine: Machine, lockspace: string): void;
  withdraw(machine: Machine): void;
  applicationDies(machine: Machine, lockspace: string): void;
  /** All have lost their power, and these what they had kept. */
  blackOut(lost: readonly Machine[]): void;
  hasApplication(machine: Machine, lockspace: string): boolean;
}

export class Nemesis {
  readonly counts = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  #isStopped = false;
  /** Crash somebody soon after the next view that leaves somebody out. */
  #isWaitingForDeath = false;

  constructor(
    readonly options: NemesisOptions,
    readonly agenda: Agenda,
    readonly prng: Prng,
    readonly port: NemesisPort,
  ) {}

  begin(): void {
    const kinds = faultKinds.map((kind) => [kind, this.options.weights[kind]] as const).filter(([, weight]) => weight > 0);
    if (kinds.length === 0) return;
    const strike = (): void => {
      if (this.#isStopped) return;
      this.#strike(this.prng.weighted(kinds));
      this.agenda.after(this.prng.between(1, 2 * this.options.everyMillis), strike);
    };
    this.agenda.after(this.prng.between(1000, 1000 + this.options.everyMillis), strike);
  }

  /** Nothing more goes wrong, and nothing more is undone either. */
  stop(): void {
    this.#isStopped = true;
  }

  /** A view has left somebody out: the others are about to recover. */
  death(): void {
    if (!this.#isWaitingForDeath || this.#isStopped) return;
    this.#isWaitingForDeath = false;
    this.#later(this.prng.between(1, 150), () => this.#crashOne('crashInRecovery', this.prng.between(1, this.options.downMillis)));
  }

  #strike(kind: FaultKind): void {
    const { options, prng } = this;
    switch (kind) {
      case 'crash':
        this.#crashOne(kind, prng.between(1, options.downMillis));
        break;
      case 'quickRestart':
        this.#crashOne(kind, prng.between(1, 50));
        break;
      case 'crashInRecovery':
        this.#isWaitingForDeath = true;
        this.#crashOne('crash', prng.between(1, options.downMillis));
        break;
      case 'pause':
        this.#pauseOne();
        break;
      case 'partition':
      case 'isolate':
      case 'oneWay':
        this.#cut(kind);
        break;
      case 'clog':
        this.#clog();
        break;
      case 'joinStorm':
        this.#joinStorm();
        break;
      case 'lateViews':
        this.#lateViews();
        break;
      case 'leaveLockspace':
        this.#leaveLockspace();
        break;
      case 'withdraw':
        this.#withdraw();
        break;
      case 'applicationDies':
        this.#applicationDies();
        break;
      case 'blackout':
        this.#blackOut();
        break;
      case 'crashUnheard':
        this.#crashUnheard();
        break;
      case 'quorumLost':
        this.#loseQuorum();
        break;
    }
  }

  #crashOne(kind: FaultKind, downMillis: number): void {
    const up = this.port.machines.filter(({ isUp }) => isUp);
    if (up.length === 0) return;
    this.#crash(this.prng.pick(up), kind, downMillis);
  }

  #crash(machine: Machine, kind: FaultKind, downMillis: number): void {
    this.#begin(kind, `n${machine.id} for ${downMillis}`);
    this.port.crash(machine);
    this.#later(downMillis, () => {
      if (!machine.isUp) this.port.start(machine);
    });
  }

  /** All at once, or all but a few; and all come back within a moment. */
  #joinStorm(): void {
    const kept = this.prng.below(this.port.machines.length);
    const at = this.prng.between(1, this.options.downMillis);
    for (const machine of this.prng.shuffled(this.port.machines).slice(kept)) {
      if (machine.isUp) this.#crash(machine, 'joinStorm', at + this.prng.between(0, 100));
    }
  }

  #pauseOne(): void {
    const awake = this.port.machines.filter(({ isAwake }) => isAwake);
    if (awake.length === 0) return;
    const machine = this.prng.pick(awake);
    const { life } = machine;
    this.#begin('pause', `n${machine.id}`);
    this.port.pause(machine);
    this.#later(this.prng.between(1, this.options.troubleMillis), () => {
      if (machine.life === life && machine.isPaused) this.port.resume(machine);
    });
  }

  #cut(kind: 'partition' | 'isolate' | 'oneWay'): void {
    const nodes = this.prng.shuffled(this.port.machines.map(({ id }) => id));
    if (nodes.length < 2) return;
    const size = kind === 'partition' ? this.prng.between(1, nodes.length - 1) : 1;
    const few = nodes.slice(0, size);
    const many = nodes.slice(size);
    this.#begin(kind, `${few.join(',')} from ${many.join(',')}`);
    const paths: [NodeId, NodeId][] = [];
    for (const one of few) {
      for (const other of kind === 'oneWay' ? many.filter(() => this.prng.chance(700)) : many) {
        if (kind !== 'oneWay') paths.push([one, other], [other, one]);
        else paths.push(this.prng.chance(500) ? [one, other] : [other, one]);
      }
    }
    for (const [from, to] of paths) this.port.network.cut(from, to);
    this.port.engine.disturbed();
    this.#later(this.prng.between(1, this.options.troubleMillis), () => {
      for (const [from, to] of paths) this.port.network.join(from, to);
      this.port.engine.disturbed();
    });
  }

  #clog(): void {
    const [from, to] = this.prng.shuffled(this.port.machines.map(({ id }) => id));
    if (from === undefined || to === undefined) return;
    const until = millis(this.agenda.now + this.prng.between(1, this.options.troubleMillis));
    this.#begin('clog', `${from} to ${to} until ${until}`);
    this.port.network.clog(from, to, until);
  }

  #lateViews(): void {
    const { id } = this.prng.pick(this.port.machines);
    this.#begin('lateViews', `n${id}`);
    this.port.engine.lag(id, this.prng.between(50, this.options.troubleMillis));
    this.#later(this.prng.between(1, this.options.troubleMillis), () => this.port.engine.lag(id, 0));
  }

  #leaveLockspace(): void {
    const candidates = this.port.machines.filter(({ isAwake, joined, isOut }) => isAwake && joined.size > 0 && !isOut);
    if (candidates.length === 0) return;
    const machine = this.prng.pick(candidates);
    const { life } = machine;
    const lockspace = this.prng.pick([...machine.joined]);
    this.#begin('leaveLockspace', `n${machine.id} ${lockspace}`);
    this.port.leave(machine, lockspace);
    this.#later(this.prng.between(1, this.options.downMillis), () => {
      if (machine.life === life && machine.isAwake && !machine.joined.has(lockspace)) this.port.join(machine, lockspace);
    });
  }

  #applicationDies(): void {
    const candidates = this.port.machines.flatMap((machine) =>
      machine.isAwake && !machine.isOut ? [...machine.joined].filter((one) => this.port.hasApplication(machine, one)).map((one) => ({ machine, lockspace: one })) : [],
    );
    if (candidates.length === 0) return;
    const { machine, lockspace } = this.prng.pick(candidates);
    const { life } = machine;
    this.#begin('applicationDies', `n${machine.id} ${lockspace}`);
    this.port.applicationDies(machine, lockspace);
    this.#later(this.prng.between(1, this.options.downMillis), () => {
      if (machine.life === life && machine.isAwake && !machine.joined.has(lockspace)) this.port.join(machine, lockspace);
    });
  }

  #blackOut(): void {
    const { machines } = this.port;
    this.#begin('blackout', '');
    for (const machine of machines) if (machine.isUp) this.port.crash(machine);
    this.port.blackOut(this.prng.chance(400) ? [this.prng.pick(machines)] : []);
    for (const machine of machines) {
      this.#later(this.prng.between(1, this.options.downMillis), () => {
        if (!machine.isUp) this.port.start(machine);
      });
    }
  }

  /** It goes on for a while and is not heard by some, and then no more: they do not know what it has done. */
  #crashUnheard(): void {
    const { network, engine, machines } = this.port;
    const up = machines.filter(({ isUp }) => isUp);
    if (up.length < 2) return;
    const [machine, ...others] = this.prng.shuffled(up);
    const { id, life } = machine!;
    const deaf = others.slice(0, this.prng.between(1, others.length));
    for (const { id: other } of deaf) network.cut(id, other);
    engine.disturbed();
    const until = this.prng.between(20, Math.min(1000, engine.options.detectMillis));
    this.#later(until, () => {
      if (machine!.life === life && machine!.isUp) this.#crash(machine!, 'crashUnheard', this.prng.between(1, this.options.downMillis));
      for (const { id: other } of deaf) network.join(id, other);
      engine.disturbed();
    });
  }

  #loseQuorum(): void {
    const { engine } = this.port;
    this.#begin('quorumLost', '');
    engine.setShort(true);
    this.#later(this.prng.between(1, this.options.troubleMillis), () => engine.setShort(false));
  }

  #withdraw(): void {
    const candidates = this.port.machines.filter(({ isAwake, isOut }) => isAwake && !isOut);
    if (candidates.length === 0) return;
    const machine = this.prng.pick(candidates);
    this.#begin('withdraw', `n${machine.id}`);
    this.port.withdraw(machine);
    this.#later(this.prng.between(500, 500 + this.options.downMillis), () => {
      if (!machine.isUp) this.port.start(machine);
    });
  }

  #begin(kind: FaultKind, words: string): void {
    this.counts[kind] += 1;
    this.port.note(`nemesis ${kind} ${words}`);
  }

  #later(delay: number, action: () => void): void {
    this.agenda.after(delay, () => {
      if (!this.#isStopped) action();
    });
  }
}
