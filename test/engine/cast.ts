/**
 * The members of a cluster in tests, each in a process of its own or several in
 * one: started, told what to do, stopped, killed; what they were given is kept, and
 * held against what every engine promises.
 *
 * Whoever waits here waits for something to become true, and fails with what it was.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../kill/processes.js';
import { forkScript } from '../script.js';
import type { Opening, Order, PlainView, Report, Wish } from './member.js';

const script = fileURLToPath(new URL('member.ts', import.meta.url));

/** Where the members of a cluster run, if not all on this machine: each place has a number, which is that of its member. */
export interface Places {
  readonly numbers: readonly number[];
  fork(script: string, number: number): ChildProcess;
}
const boundMillis = 60_000;

type Ordered = Order extends infer One ? (One extends Order ? Omit<One, 'id'> : never) : never;

/** A process with members in it. */
export class Stage {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: number): void; reject(error: Error): void }>();
  readonly #actors: Actor[] = [];
  #lastId = 0;

  /** `place`: its number, if it matters where it runs. */
  constructor(test: TestContext, places?: Places, readonly place = 0) {
    this.#child = places?.fork(script, place) ?? forkScript(script);
    test.after(() => this.#child.kill('SIGKILL'));
    this.#child.on('message', (report: Report) => this.#hear(report));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  actor(opening: Opening, wish: Wish): Actor {
    const actor = new Actor(this, this.#actors.length, opening, wish);
    this.#actors.push(actor);
    return actor;
  }

  tell(order: Ordered): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.#child.send({ ...order, id: this.#lastId });
    });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (!this.hasEnded) await once(this.#child, 'exit');
  }

  /** Returns when it stands still. */
  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await until('the process is stopped', () => / T /.test(readFileSync(`/proc/${this.pid}/stat`, 'utf8')));
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  #hear(report: Report): void {
    if ('member' in report) return this.#actors[report.member]!.hear(report);
    const caller = this.#waiting.get(report.id);
    if (report.error === undefined) caller?.resolve(report.result ?? 0);
    else caller?.reject(Object.assign(new Error(report.error.message), { code: report.error.code }));
  }
}

/** A member, as a test plays it. */
export class Actor {
  readonly views: PlainView[] = [];
  /** When each of them was heard of, on `performance.now()`. */
  readonly heardAt: number[] = [];
  deadline: string | null = null;
  lost: string | null = null;
  lostAt = Infinity;
  node = 0;
  hasLeft = false;
  #waiting = new Set<() => void>();

  constructor(
    readonly stage: Stage,
    readonly member: number,
    readonly opening: Opening,
    readonly wish: Wish,
  ) {}

  get last(): PlainView {
    return this.views.at(-1)!;
  }

  async join(): Promise<this> {
    this.node = await this.stage.tell({ verb: 'join', member: this.member, opening: this.opening, wish: this.wish });
    await this.stage.tell({ verb: 'follow', member: this.member });
    await this.sees('itself', () => this.views.length > 0);
    return this;
  }

  async announce(lockspaces: Record<string, number>): Promise<void> {
    await this.stage.tell({ verb: 'announce', member: this.member, lockspaces });
  }

  async expel(node: number, reason: string): Promise<void> {
    await this.stage.tell({ verb: 'expel', member: this.member, node, reason });
  }

  async leave(): Promise<void> {
    await this.stage.tell({ verb: 'leave', member: this.member });
    this.hasLeft = true;
  }

  hear(report: Exclude<Report, { id: number }>): void {
    if ('view' in report) {
      this.views.push(report.view);
      this.heardAt.push(performance.now());
    } else if ('lost' in report) {
      this.lost = report.lost;
      this.lostAt = performance.now();
    } else this.deadline = report.deadline;
    for (const look of this.#waiting) look();
  }

  /** Wait until it is so; it can only become so by what this member hears. */
  sees(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const last = JSON.stringify(this.views.at(-1)?.members.map(({ name }) => name));
        reject(new Error(`${this.wish.name} did not see ${what}; it saw ${this.views.length} views, at last ${last}, lost: ${this.lost}`));
      }, boundMillis);
      const look = (): void => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Wait for a view with exactly these members. */
  seesMembers(...names: string[]): Promise<void> {
    return this.sees(names.join(), () => this.views.length > 0 && namesIn(this.last) === [...names].sort().join());
  }
}

export function namesIn(view: PlainView): string {
  return view.members.map(({ name }) => name).sort().join();
}

/** Everybody in one test. */
export class Cast {
  readonly #test: TestContext;
  readonly #opening: Opening;
  readonly #places: Places | undefined;
  readonly actors: Actor[] = [];
  #lastLife = 0;

  constructor(test: TestContext, opening: Opening, places?: Places) {
    this.#test = test;
    this.#opening = opening;
    this.#places = places;
  }

  /** A process that has loaded everything and waits for orders. */
  stage(node: number | 'auto' = 'auto'): Stage {
    if (this.#places === undefined) return new Stage(this.#test);
    return new Stage(this.#test, this.#places, node === 'auto' ? this.#freePlace() : node);
  }

  #freePlace(): number {
    const taken = new Set(this.actors.filter(({ hasLeft, lost, stage }) => !hasLeft && lost === null && !stage.hasEnded).map(({ stage }) => stage.place));
    return this.#places!.numbers.find((number) => !taken.has(number))!;
  }

  /** Who is to join, in a process of its own if none is given. */
  actor(name: string, node: number | 'auto' = 'auto', stage = this.stage(node)): Actor {
    this.#lastLife += 1;
    const actor = stage.actor(this.#opening, { node, name, incarnation: this.#lastLife });
    this.actors.push(actor);
    return actor;
  }

  join(name: string, node: number | 'auto' = 'auto', stage?: Stage): Promise<Actor> {
    return this.actor(name, node, stage).join();
  }

  /** One after another, and all see all. */
  async joinAll(...names: string[]): Promise<Actor[]> {
    const actors = names.map((name) => this.actor(name));
    for (const actor of actors) await actor.join();
    for (const actor of actors) await actor.seesMembers(...names);
    return actors;
  }

  /** What every engine promises about the views of all who ever were here; those without quorum are for those who are without. */
  check(): void {
    const everyView = new Map<number, PlainView>();
    for (const { views } of this.actors) {
      for (const view of views) {
        assert.deepEqual(view, everyView.get(view.id) ?? view, `there are two views ${view.id}`);
        everyView.set(view.id, view);
      }
    }
    const ids = Array.from(everyView.keys()).sort((a, b) => a - b);
    for (const { views, wish } of this.actors) {
      const seen = views.map(({ id }) => Number(id));
      const isMeant = (id: number): boolean => everyView.get(id)!.isQuorate || seen.includes(id);
      const all = ids.filter((id) => id >= (seen[0] ?? Infinity) && id <= seen.at(-1)! && isMeant(id));
      assert.deepEqual(seen, all, `${wish.name} was given every view, in order`);
      for (const { members } of views) {
        assert.ok(members.some((one) => one.name === wish.name && one.incarnation === wish.incarnation), `${wish.name} is in every view it is given`);
        const nodes = members.map(({ node }) => node);
        assert.deepEqual(nodes, [...new Set(nodes)].sort((a, b) => a - b), 'members are in the order of their numbers');
      }
    }
  }
}
