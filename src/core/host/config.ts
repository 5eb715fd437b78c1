/**
 * What dlm.conf says: settings, and how each node of the cluster can be fenced.
 *
 * The format is that of dlm_controld, so that a file that exists goes on to be good: a
 * `setting=value` a line, and for each fence device a `device` line, a `connect` line a
 * node, and `unfence` if a node turns itself on there. The order of the devices is the
 * order in which they are tried; `name:1` and `name:2` are used together.
 *
 *   device  bmc fence_ipmilan lanplus=1 username=fence passwd_file=/etc/dlm/bmc.key
 *   connect bmc node=1 ip=10.0.0.1
 *   connect bmc node=2 ip=10.0.0.2
 *
 * Whoever has mistyped a line must hear of it before it is needed, and not when a node
 * has died: everything that is wrong is refused, with its line. Only what cannot matter
 * for fencing (a setting that we do not know) is a warning. Words of the file are not
 * repeated unless they are keys or names, because any of them may be a secret.
 */
import { DlmError } from '../base/errors.js';
import { isSettingLine, readSetting, settingsOf, type Settings } from './config-settings.js';
import { fenceWays, type FenceWay } from './fence-ways.js';
import { FenceParameters } from './fence-parameters.js';
import { readableByOthers, readTrusted } from './trusted-file.js';

/** Ways to fence that are ours, in the place of an agent's name. */
export const builtIns = fenceWays;
export type BuiltIn = FenceWay;

export interface FenceDevice {
  /** As in `bmc`, or `bmc:1`. */
  readonly name: string;
  /** What devices that are used together have in common: `bmc`. */
  readonly level: string;
  /** A name, a full path, or one of ours. */
  readonly agent: string;
  /** The nodes that can be fenced here, each with what is special about it; `every`: all nodes alike. */
  readonly nodes: ReadonlyMap<number, ConnectedNode> | 'every';
  readonly parameters: FenceParameters;
  readonly isForUnfencing: boolean;
  /** Turn the node on again once it is known to be off. */
  readonly turnsOnAgain: boolean;
  readonly delayMillis: number;
  readonly timeoutMillis: number | null;
  readonly line: number;
}

export interface ConnectedNode {
  readonly parameters: FenceParameters;
  readonly delayMillis: number | null;
  readonly timeoutMillis: number | null;
  readonly line: number;
}

export interface FenceConfig {
  /** The file; null: there is none. */
  readonly path: string | null;
  /** Those of the first choice first. */
  readonly devices: readonly FenceDevice[];
  /** How long to wait before a node is fenced: whoever is to survive a quarrel of two has the longer one. */
  readonly nodeDelays: ReadonlyMap<number, number>;
  /** `fence_all none`: nobody is fenced, on purpose. */
  readonly isNobody: boolean;
}

export interface DlmConfig {
  readonly path: string;
  /** What the file sets, and nothing else. */
  readonly settings: Settings;
  readonly fence: FenceConfig;
  readonly warnings: readonly Remark[];
}

/** About a line of the file. */
export interface Remark {
  readonly line: number;
  readonly says: string;
  readonly instead: string;
}

/** Without one there is a way all the same, on one of the engines. */
const ifMissing = 'write it (docs/fencing.md), or name another one with --config; without any, the local engine fences by the method process';

/** Read and checked. Throws `DLM_CONFIG_INVALID`. */
export function readConfig(path: string): DlmConfig {
  const { text, isPrivate } = readTrusted(path, 'the configuration', ifMissing);
  const { config, errors } = parseConfig(text, path);
  const [first, ...others] = errors;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` (and there is something wrong in line ${others.map(({ line }) => line).join(', ')})`;
    throw new DlmError('DLM_CONFIG_INVALID', `${path} line ${first.line}: ${first.says}${more}`, first.instead);
  }
  const hasSecret = config.fence.devices.some(({ parameters, nodes }) => parameters.hasSecret || (nodes !== 'every' && [...nodes.values()].some((node) => node.parameters.hasSecret)));
  if (hasSecret && !isPrivate) throw readableByOthers(path, 'the configuration');
  return config;
}

/** Without a file: all nodes are fenced in this way. */
export function fencedBy(method: BuiltIn): FenceConfig {
  const all = new Reader().read(method === 'none' ? '' : `fence_all ${method}`);
  return { path: null, devices: all.devices(), nodeDelays: new Map(), isNobody: all.isNobody };
}

export function parseConfig(text: string, path: string): { config: DlmConfig; errors: readonly Remark[] } {
  const reader = new Reader().read(text);
  const devices = reader.devices();
  const byLine = (one: Remark, other: Remark): number => one.line - other.line;
  return {
    config: {
      path,
      settings: settingsOf(reader.settings),
      fence: { path, devices, nodeDelays: reader.nodeDelays, isNobody: reader.isNobody },
      warnings: reader.warnings.sort(byLine),
    },
    errors: reader.errors.sort(byLine),
  };
}

interface Draft {
  readonly name: string;
  readonly agent: string;
  readonly pairs: Pairs;
  readonly nodes: Map<number, ConnectedNode> | 'every';
  readonly line: number;
  unfences: boolean;
}

type Pairs = ReadonlyMap<string, string>;

/** What we take for ourselves of what is written for an agent. */
const ownKeys = ['action', 'node', 'delay', 'agent_timeout'];

const secondsMax = 3_600;

class Reader {
  readonly errors: Remark[] = [];
  readonly warnings: Remark[] = [];
  readonly settings = new Map<string, boolean | number | string>();
  readonly nodeDelays = new Map<number, number>();
  readonly #drafts = new Map<string, Draft>();
  /** Lines about devices that may only come further down. */
  readonly #later: (() => void)[] = [];
  #line = 0;
  #isAfterBlank = true;

  read(text: string): this {
    for (const raw of text.split('\n')) {
      this.#line += 1;
      const line = raw.trim();
      if (!line.startsWith('#')) this.#take(line);
      this.#isAfterBlank = line === '' || (line.startsWith('#') && this.#isAfterBlank);
    }
    for (const finish of this.#later) finish();
    this.#checkDevices();
    return this;
  }

  get isNobody(): boolean {
    return this.#drafts.get('fence_all')?.agent === 'none';
  }

  devices(): FenceDevice[] {
    return [...this.#drafts.values()].filter(({ agent }) => agent !== 'none').map((draft) => ({
      name: draft.name,
      level: levelOf(draft.name),
      agent: draft.agent,
      nodes: draft.nodes,
      parameters: new FenceParameters(draft.pairs).without(ownKeys),
      isForUnfencing: draft.unfences,
      turnsOnAgain: draft.pairs.get('action') === 'reboot',
      delayMillis: millisOf(draft.pairs, 'delay') ?? 0,
      timeoutMillis: millisOf(draft.pairs, 'agent_timeout'),
      line: draft.line,
    }));
  }

  #take(line: string): void {
    if (line === '') return;
    if (isSettingLine(line)) return readSetting(line, this.#line, this.settings, this);
    const [word = '', ...words] = line.split(/\s+/);
    const verbs: Readonly<Record<string, (words: string[]) => void>> = {
      device: (rest) => this.#device(rest),
      connect: (rest) => this.#connect(rest),
      unfence: (rest) => this.#unfence(rest),
      fence_all: (rest) => this.#fenceAll(rest),
      unfence_all: () => this.#unfence(['fence_all']),
      node: (rest) => this.#node(rest),
      lockspace: () => this.#warn('what a lockspace is like is not taken from here', 'leave it out; what a lockspace can be given, nodir for one, is in dlm lockspace create --help'),
      master: () => this.#warn('which node is master is not taken from here', 'use: dlm node join --weight'),
    };
    if (Object.hasOwn(verbs, word)) verbs[word]!(words);
    else this.#fail(`this is neither a SETTING=VALUE nor begins with ${Object.keys(verbs).join(', ')}`, 'put a # before it if it is a comment');
  }

  #device([name, agent, ...words]: string[]): void {
    if (name === undefined || agent === undefined || agent.includes('=')) {
      return this.#fail('a device needs a name and an agent', 'write: device NAME AGENT KEY=VALUE…');
    }
    if (!/^[\w.-]+(:\w+)?$/.test(name) || name === 'fence_all') {
      return this.#fail('this cannot be the name of a device', 'use letters, digits, dots and dashes, and :1, :2 for devices that are used together');
    }
    if (!this.#isAfterBlank) this.#warn('dlm_controld takes this for a part of what stands above', 'put a blank line before each device');
    this.#add({ name, agent, pairs: this.#pairs(words), nodes: new Map(), line: this.#line, unfences: false });
  }

  #fenceAll([agent, ...words]: string[]): void {
    if (agent === undefined || agent.includes('=')) return this.#fail('fence_all needs an agent', 'write: fence_all AGENT KEY=VALUE…');
    this.#add({ name: 'fence_all', agent, pairs: this.#pairs(words), nodes: 'every', line: this.#line, unfences: false });
  }

  #add(draft: Draft): void {
    const earlier = this.#drafts.get(draft.name);
    if (earlier !== undefined) return this.#fail(`${draft.name} is already in line ${earlier.line}`, 'give each device a name of its own');
    if (draft.pairs.has('node')) this.#fail('which node it is for is said by a connect line', 'write: connect NAME node=N');
    this.#drafts.set(draft.name, draft);
  }

  #connect([name, ...words]: string[]): void {
    const line = this.#line;
    const pairs = this.#pairs(words);
    const node = numberIn(pairs, 'node');
    if (name === undefined || name.includes('=') || node === null) {
      return this.#fail('a connect line needs the name of a device and the number of a node', 'write: connect NAME node=N KEY=VALUE…');
    }
    if (pairs.has('action')) return this.#fail('what is done is said by the device line', 'write action=reboot there');
    const parameters = new FenceParameters(pairs).without(ownKeys);
    const connected = { parameters, delayMillis: millisOf(pairs, 'delay'), timeoutMillis: millisOf(pairs, 'agent_timeout'), line };
    this.#later.push(() => {
      const nodes = this.#draftNamed(name, line)?.nodes;
      if (nodes === undefined || nodes === 'every') return;
      const earlier = nodes.get(node);
      if (earlier === undefined) nodes.set(node, connected);
      else this.#fail(`node ${node} is already connected to ${name} in line ${earlier.line}`, 'one of the two is too many', line);
    });
  }

  #unfence([name]: string[]): void {
    const line = this.#line;
    if (name === undefined) return this.#fail('unfence needs the name of a device', 'write: unfence NAME');
    this.#later.push(() => {
      const draft = this.#draftNamed(name, line);
      if (draft !== undefined) draft.unfences = true;
    });
  }

  /** `node id=2 delay=5`; the other key of dlm_controld, mark, is about the kernel's sockets. */
  #node(words: string[]): void {
    const pairs = this.#pairs(words);
    const id = numberIn(pairs, 'id');
    const delay = millisOf(pairs, 'delay');
    if (id === null) return this.#fail('a node line needs the number of a node', 'write: node id=N delay=SECONDS');
    if (delay !== null) this.nodeDelays.set(id, delay);
    const others = [...pairs.keys()].filter((key) => key !== 'id' && key !== 'delay');
    if (others.length > 0) this.#warn(`${others.join(', ')} of a node is not heeded`, 'only delay=SECONDS is');
  }

  #draftNamed(name: string, line: number): Draft | undefined {
    const draft = this.#drafts.get(name);
    const names = [...this.#drafts.keys()].join(', ') || 'none';
    if (draft === undefined) this.#fail('there is no device of that name', `the devices are: ${names}`, line);
    return draft;
  }

  #pairs(words: readonly string[]): Pairs {
    const pairs = new Map<string, string>();
    for (const [index, word] of words.entries()) {
      const [, key, value] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(word) ?? [];
      if (key === undefined) this.#fail(`word ${index + 1} of the arguments is not KEY=VALUE`, 'a value has no spaces; a secret with spaces goes into a file: passwd_file=PATH');
      else if (pairs.has(key)) this.#fail(`${key} stands here twice`, 'leave out one of them');
      else pairs.set(key, value!);
    }
    this.#checkPairs(pairs);
    return pairs;
  }

  #checkPairs(pairs: Pairs): void {
    for (const key of ['delay', 'agent_timeout']) {
      const text = pairs.get(key);
      const number = Number(text);
      const least = key === 'delay' ? 0 : 1;
      if (text === undefined || (/^\d+(\.\d+)?$/.test(text) && number >= least && number <= secondsMax)) continue;
      this.#fail(`${key} must be a number of seconds from ${least} to ${secondsMax}`, `write, for example, ${key}=5`);
    }
    if (!['off', 'reboot', undefined].includes(pairs.get('action'))) {
      this.#fail('action can be off or reboot', 'leave it out: a node is turned off, and its status looked at');
    }
    if (pairs.get('method') === 'cycle') {
      this.#fail('method=cycle says that a node was off before it is known', 'write method=onoff, or leave it out');
    }
    const quoted = [...pairs].filter(([, value]) => /^["']/.test(value)).map(([key]) => key);
    if (quoted.length > 0) this.#warn(`the quotation mark is taken for a part of ${quoted.join(', ')}`, 'leave it out');
  }

  #checkDevices(): void {
    const names = [...this.#drafts.keys()];
    for (const { name, agent, nodes, line } of this.#drafts.values()) {
      if (name === 'fence_all' && names.length > 1) this.#fail('fence_all does not go together with devices', 'use one or the other', line);
      if (agent === 'none' && name !== 'fence_all') this.#fail('none is no way to fence', 'leave the device out; or write fence_all none', line);
      if (nodes !== 'every' && nodes.size === 0) this.#warn(`nothing is connected to ${name}`, `write: connect ${name} node=N`, line);
      if (name.includes(':') && names.includes(levelOf(name))) {
        this.#fail(`${name} and ${levelOf(name)} are to be used together, or one after the other?`, 'for together give both a colon and a number; for the other give them different names', line);
      }
    }
  }

  #fail(says: string, instead: string, line = this.#line): void {
    this.errors.push({ line, says, instead });
  }

  #warn(says: string, instead: string, line = this.#line): void {
    this.warnings.push({ line, says, instead });
  }
}

const levelOf = (name: string): string => name.split(':')[0]!;

function numberIn(pairs: Pairs, key: string): number | null {
  const text = pairs.get(key) ?? '';
  return /^[1-9]\d{0,9}$/.test(text) && Number(text) <= 0x7fff_ffff ? Number(text) : null;
}

function millisOf(pairs: Pairs, key: string): number | null {
  const text = pairs.get(key);
  return text === undefined ? null : Math.round(Number(text) * 1000);
}
