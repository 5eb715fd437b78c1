/**
 * The network of a world: frames from one node to another, late, lost, repeated,
 * out of order, or not at all.
 *
 * It looks into no frame. A path has a direction; a cut path swallows what is sent
 * while it is cut, a clogged one keeps it until the clog is gone.
 */
import { millis, type Millis, type NodeId } from '../base/ids.js';
import type { Prng } from '../base/prng.js';
import type { Agenda } from './agenda.js';

export interface NetworkOptions {
  /** The shortest and the longest way of a frame, in milliseconds. */
  readonly delayMin: number;
  readonly delayMax: number;
  /** Of a thousand frames, how many are lost, come twice, or take ten times as long. */
  readonly lossPerMille: number;
  readonly repeatPerMille: number;
  readonly strayPerMille: number;
}

export interface NetworkCounts {
  frames: number;
  lost: number;
  repeated: number;
  cut: number;
  clogged: number;
}

/** Above every node number. */
const nodesMax = 4096;

export class Network<Frame> {
  readonly counts: NetworkCounts = { frames: 0, lost: 0, repeated: 0, cut: 0, clogged: 0 };
  readonly #cuts = new Set<number>();
  readonly #clogs = new Map<number, Millis>();
  #isHealed = false;
  #inFlight = 0;

  constructor(
    readonly options: NetworkOptions,
    readonly agenda: Agenda,
    readonly prng: Prng,
    readonly arrive: (to: NodeId, frame: Frame) => void,
  ) {}

  send(from: NodeId, to: NodeId, frame: Frame): void {
    this.counts.frames += 1;
    if (this.#cuts.has(pathOf(from, to))) {
      this.counts.cut += 1;
      return;
    }
    const { lossPerMille, repeatPerMille } = this.options;
    if (!this.#isHealed && this.prng.chance(lossPerMille)) this.counts.lost += 1;
    else this.#carry(from, to, frame);
    if (!this.#isHealed && this.prng.chance(repeatPerMille)) {
      this.counts.repeated += 1;
      this.#carry(from, to, frame);
    }
  }

  /** How many frames are on their way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Can these two hear each other? */
  areConnected(one: NodeId, other: NodeId): boolean {
    return !this.#cuts.has(pathOf(one, other)) && !this.#cuts.has(pathOf(other, one));
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(pathOf(from, to));
  }

  join(from: NodeId, to: NodeId): void {
    this.#cuts.delete(pathOf(from, to));
  }

  clog(from: NodeId, to: NodeId, until: Millis): void {
    this.#clogs.set(pathOf(from, to), until);
  }

  /** From now on nothing is lost, cut or clogged. */
  heal(): void {
    this.#isHealed = true;
    this.#cuts.clear();
    this.#clogs.clear();
  }

  #carry(from: NodeId, to: NodeId, frame: Frame): void {
    this.#inFlight += 1;
    this.agenda.at(millis(this.#startOf(from, to) + this.#delay()), () => {
      this.#inFlight -= 1;
      this.arrive(to, frame);
    });
  }

  #startOf(from: NodeId, to: NodeId): Millis {
    const { now } = this.agenda;
    const until = this.#clogs.get(pathOf(from, to));
    if (until === undefined) return now;
    if (until <= now) {
      this.#clogs.delete(pathOf(from, to));
      return now;
    }
    this.counts.clogged += 1;
    return until;
  }

  #delay(): number {
    const { delayMin, delayMax, strayPerMille } = this.options;
    const delay = this.prng.between(delayMin, delayMax);
    return !this.#isHealed && this.prng.chance(strayPerMille) ? delay * 10 : delay;
  }
}

function pathOf(from: NodeId, to: NodeId): number {
  return from * nodesMax + to;
}
