/**
 * Random scenarios in the recorded format: two processes that lock, convert,
 * cancel, adopt and end, on few resources and with the flags that matter.
 *
 * The same seed gives the same text. There is no kernel behind these: a node of
 * ours that follows the kernel's law to the letter writes their recording.
 */
import { kernelLaw } from '../../src/core/lock/law.js';
import { Device } from '../../src/core/sim/conformance/device.js';
import { parseScenarios } from '../../src/core/sim/conformance/scenario.js';

/** Numbers that look random and depend on the seed only. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to `sides` - 1. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.roll(choices.length)]!;
  }
}

/** What a scenario is about: the flags it draws from, and what else happens in it. */
interface Theme {
  readonly requestFlags: readonly string[];
  readonly requestModes: readonly string[];
  readonly convertFlags: readonly string[];
  readonly events: readonly string[];
}

const modes = ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'];
const unlockFlags = ['', 'VALBLK', 'IVVALBLK', 'FORCEUNLOCK', 'CANCEL'];

const themes: readonly Theme[] = [
  {
    // Orphans: processes end, and what they leave behind is adopted, converted and purged.
    requestFlags: [
      '', '', 'PERSISTENT', 'PERSISTENT', 'PERSISTENT,VALBLK', 'VALBLK', 'NOORDER', 'ORPHAN', 'ORPHAN,PERSISTENT', 'ORPHAN,QUECVT',
    ],
    requestModes: ['CR', 'PR', 'PR', 'EX'],
    convertFlags: ['', 'PERSISTENT', 'PERSISTENT,VALBLK', 'VALBLK', 'IVVALBLK', 'NOQUEUE'],
    events: ['exit p2', 'exit p2', 'settle'],
  },
  {
    // The same, with purges. Nobody waits, since no kernel has told what it does when one is purged that waited.
    requestFlags: ['NOQUEUE', 'PERSISTENT,NOQUEUE', 'PERSISTENT,NOQUEUE,VALBLK', 'VALBLK,NOQUEUE', 'ORPHAN', 'ORPHAN,PERSISTENT'],
    requestModes: ['NL', 'CR', 'PR', 'EX'],
    convertFlags: ['', 'PERSISTENT', 'PERSISTENT,VALBLK', 'VALBLK', 'IVVALBLK', 'NOQUEUE'],
    events: ['exit p2', 'exit p2', 'close p2', 'purge nodeid=1 pid=0', 'purge nodeid=1 pid=@p2', 'purge p2 nodeid=1 pid=@p2'],
  },
  {
    // Conversions that get in one another's way.
    requestFlags: ['', '', 'VALBLK', 'NOORDER', 'HEADQUE', 'ALTCW'],
    requestModes: ['NL', 'CR', 'CR', 'PR', 'PR', 'CW'],
    convertFlags: [
      '', '', 'NODLCKWT', 'NODLCKWT', 'NODLCKWT,QUECVT,ALTPR', 'NODLCKWT,HEADQUE', 'QUECVT', 'CONVDEADLK', 'ALTCW', 'ALTPR', 'NOORDER',
    ],
    events: ['settle'],
  },
];

/** `count` scenarios of `length` steps, as the text of a scenario file. */
export function randomScenarios(seed: number, count: number, length: number): string {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, index) =>
    [`scenario random-choice/${seed}-${index}`, ...randomSteps(dice, dice.oneOf(themes), length), ''].join('\n'),
  ).join('\n');
}

function randomSteps(dice: Dice, theme: Theme, length: number): string[] {
  let lockCount = 0;
  let labels: string[] = [];
  let leftBehind: string[] = [];
  const settings = (choices: readonly string[]): string => {
    const flags = dice.oneOf(choices);
    return (flags === '' ? '' : ` flags=${flags}`) + (dice.roll(2) === 0 ? ` lvb=0${1 + dice.roll(9)}` : '');
  };
  const recent = (): string => labels[Math.max(0, labels.length - 1 - dice.roll(5))]!;
  const lock = (): string => {
    lockCount += 1;
    labels.push(`${dice.oneOf(['', 'p2:'])}L${lockCount}`);
    return `lock ${labels.at(-1)} res=${dice.oneOf(['R', 'R', 'R', 'S'])} mode=${dice.oneOf(theme.requestModes)}${settings(theme.requestFlags)}`;
  };
  const convert = (): string => {
    const label = leftBehind.length > 0 && dice.roll(5) === 0 ? dice.oneOf(leftBehind) : recent();
    return `convert ${label} mode=${dice.oneOf(modes)}${settings(theme.convertFlags)}`;
  };
  /** Nothing but a conversion is asked of an orphan by its id: a kernel was seen to hang when one was unlocked. */
  const event = (): string => {
    const what = dice.oneOf(theme.events);
    if (what === 'exit p2' || what === 'close p2') {
      leftBehind = labels.filter((label) => label.startsWith('p2:'));
      labels = labels.filter((label) => !label.startsWith('p2:'));
    }
    return what;
  };
  const steps: (() => string)[] = [
    lock, lock, convert, convert, convert, convert, convert,
    () => `unlock ${recent()}${settings(unlockFlags)}`,
    () => `${dice.oneOf(['cancel', 'cancel', '! cancel', 'deadlock'])} ${recent()}`,
    event,
  ];
  return Array.from({ length }, () => (labels.length < 3 ? lock() : dice.oneOf(steps)()));
}

/** What a node that follows the kernel's law does, in the format of a result file. */
export function recordByKernelLaw(scenarioText: string, outrun = 0): string {
  return parseScenarios(scenarioText)
    .flatMap((scenario) => {
      const device = new Device(kernelLaw, { scenario, recorded: [], outrun });
      return scenario.steps.map((step, i) => JSON.stringify({ s: scenario.name, i, op: step.line, ...device.perform(step) }));
    })
    .join('\n');
}

/** What else happens among three nodes; each at most once. */
const changes: readonly (readonly string[])[] = [
  ['kill n3'], ['kill n1'], ['kill n2'], ['leave n3'], ['join n3'], ['leave n3', 'join n3'], ['kill n3', 'kill n2'], ['suspend', 'resume'], ['kill n3 n2'],
];

/** `count` scenarios of `length` steps on three nodes, some of which die, leave, or come. */
export function randomClusters(seed: number, count: number, length: number): string {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, index) => {
    const steps = randomClusterSteps(dice, length);
    const nodir = dice.roll(4) === 0 ? ['nodir'] : [];
    return [`scenario random-cluster/${seed}-${index}`, 'nodes 3', ...nodir, ...steps, ''].join('\n');
  }).join('\n');
}

function randomClusterSteps(dice: Dice, length: number): string[] {
  const theme = dice.oneOf(themes);
  const change = dice.oneOf(changes);
  const moments = change.map((_, index) => Math.floor((length * (index + 1)) / (change.length + 1)) + dice.roll(3));
  const nodes = new Set([1, 2, 3]);
  if (change[0]!.startsWith('join')) nodes.delete(3);
  let labels: string[] = [];
  let isSuspended = false;
  const settings = (choices: readonly string[]): string => {
    const flags = dice.oneOf(choices);
    return (flags === '' ? '' : ` flags=${flags}`) + (dice.roll(2) === 0 ? ` lvb=0${1 + dice.roll(9)}` : '');
  };
  const lock = (step: number): string => {
    labels.push(`n${dice.oneOf([...nodes])}:L${step}`);
    return `lock ${labels.at(-1)} res=${dice.oneOf(['R', 'R', 'R', 'S'])} mode=${dice.oneOf(theme.requestModes)}${settings(theme.requestFlags)}`;
  };
  const event = (): string => {
    const node = dice.oneOf([...nodes]);
    if (dice.roll(3) === 0) return `purge n${node} nodeid=${dice.oneOf([...nodes])} pid=0`;
    labels = labels.filter((label) => label[1] !== String(node));
    return `exit n${node}`;
  };
  return Array.from({ length }, (_, step) => {
    const next = change[moments.indexOf(step)];
    if (next !== undefined) {
      for (const [, node] of next.matchAll(/n(\d)/g)) {
        if (next.startsWith('join')) nodes.add(Number(node));
        else nodes.delete(Number(node));
      }
      labels = labels.filter((label) => nodes.has(Number(label[1])));
      isSuspended = next === 'suspend';
      return next;
    }
    const recent = labels[Math.max(0, labels.length - 1 - dice.roll(5))];
    const what = dice.roll(10);
    // Calls that waited are a race afterwards; so they are few, and of one node.
    if (isSuspended) return step % 6 === 0 ? `lock n2:L${step} res=S mode=${dice.oneOf(modes)}` : 'settle';
    // Whether an orphan's request is granted before it is taken back is a race, so nobody may be waiting.
    if (what === 9 && !theme.requestFlags.includes('') && dice.roll(2) === 0) return event();
    if (recent === undefined || labels.length < 3 || what < 3) return lock(step);
    if (what < 7) return `convert ${recent} mode=${dice.oneOf(modes)}${settings(theme.convertFlags)}`;
    return what < 9 ? `unlock ${recent}${settings(unlockFlags)}` : `cancel ${recent}`;
  });
}
