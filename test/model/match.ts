/**
 * A script carried out by both, the real lock manager and the naive one, and
 * compared after every call: the answer, the callbacks of every lock in order, and
 * the state of both resources.
 */
import { incarnation, lkid, millis, nodeId, ownerId, type Lkid, type OwnerId } from '../../src/core/base/ids.js';
import { flagNamed, namesOfResults } from '../../src/core/lock/flags.js';
import type { Law } from '../../src/core/lock/law.js';
import { modeNamed, nameOfMode, type Mode } from '../../src/core/lock/mode.js';
import type { LockDump } from '../../src/core/lockspace/dump.js';
import type { Effect } from '../../src/core/node/effect.js';
import type { Input } from '../../src/core/node/input.js';
import { DlmNode } from '../../src/core/node/node.js';
import { Oracle, type Claim } from './oracle.js';
import { showCall, showScript, type Call, type Script } from './script.js';

const lockspace = 'model';
const valueLength = 8;

/** What a call led to, as one line of text. */
interface Outcome {
  readonly answer: string;
  /** Sorted by lock, each lock's in order. */
  readonly callbacks: string;
  readonly state: string;
}

/** Throws where the two first disagree. Shows every outcome to `watch`; returns how often each rule was needed. */
export function matchScript(script: Script, watch: (call: Call, outcome: Outcome) => void): ReadonlyMap<string, number> {
  const real = new Real(script.law);
  const oracle = new Oracle(script.law);
  for (const [index, call] of script.calls.entries()) {
    const ours = real.perform(call);
    const theirs = outcomeOf(oracle, call);
    if (ours.answer !== theirs.answer || ours.callbacks !== theirs.callbacks || ours.state !== theirs.state) {
      throw new Error(describe(script, index, ours, theirs));
    }
    watch(call, ours);
  }
  return oracle.hits;
}

function describe(script: Script, index: number, ours: Outcome, theirs: Outcome): string {
  const shown = showScript({ ...script, calls: script.calls.slice(0, index + 1) });
  const differing = (['answer', 'callbacks', 'state'] as const).filter((part) => ours[part] !== theirs[part]);
  const lines = differing.flatMap((part) => [`${part} by the code: ${ours[part]}`, `${part} by the rules: ${theirs[part]}`]);
  return [shown, `after '${showCall(script.calls[index]!)}':`, ...lines].join('\n');
}

function inOrder(callbacks: readonly { label: string; text: string }[]): string {
  const sorted = [...callbacks].sort((one, other) => (one.label < other.label ? -1 : one.label > other.label ? 1 : 0));
  return sorted.map(({ label, text }) => `${label} ${text}`).join(', ');
}

function outcomeOf(oracle: Oracle, call: Call): Outcome {
  const code = oracle.perform(call);
  const show = ({ label, owner, held, asked }: Claim): string => `${label}${owner === null ? '*' : ''}:${held || 'IV'}>${asked || 'IV'}`;
  const state = ['R', 'S'].filter((name) => oracle.isInUse(name)).map((name) => {
    const queues = (['granted', 'converting', 'waiting'] as const).map((place) => oracle.at(name, place).map(show));
    const { text, isInvalid } = oracle.values[name]!;
    return showResource(name, queues, text, isInvalid);
  });
  return { answer: code ?? 'ok', callbacks: inOrder(oracle.callbacks.filter(({ isHeard }) => isHeard)), state: state.join(' ') };
}

function showResource(name: string, [granted, converting, waiting]: string[][], value: string | null, isInvalid: boolean): string {
  return `${name}: G[${granted!.sort().join(' ')}] C[${converting!.join(' ')}] W[${waiting!.join(' ')}] ${value}${isInvalid ? ' invalid' : ''}`;
}

/** The real lock manager: a node in one lockspace. */
class Real {
  readonly #node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });
  readonly #ids = new Map<string, Lkid>();
  readonly #labels = new Map<Lkid, string>();
  #now = 0;

  constructor(law: Law) {
    this.#node.step(millis(0), { kind: 'joinLockspace', lockspace, config: { valueLength, law, nodir: false } });
  }

  perform(call: Call): Outcome {
    if (call.verb === 'ten seconds pass') this.#now += 10_000;
    const effects = this.#node.step(millis(this.#now), this.#inputOf(call));
    const refusal = effects.find((effect) => effect.kind === 'refuse');
    const callbacks = effects.flatMap((effect) => ('cookie' in effect ? [this.#tell(effect)] : []));
    return { answer: refusal?.code ?? 'ok', callbacks: inOrder(callbacks), state: this.#state() };
  }

  #inputOf(call: Call): Input {
    const owner = ownerId(call.owner);
    if (call.verb === 'owner ends') return { kind: 'endOwner', owner };
    if (call.verb === 'owner purged') return { kind: 'purgeOwner', lockspace, owner };
    if (call.verb === 'orphans purged') return { kind: 'purgeOrphans', lockspace, formerOwner: null };
    if (call.verb === 'ten seconds pass') return { kind: 'deadline' };
    return this.#operationOf(call, owner);
  }

  #operationOf(call: Call, owner: OwnerId): Input {
    const flags = call.flags.reduce((set, name) => set | flagNamed(name)!, 0);
    const value = call.value === null ? null : bytesOf(call.value);
    const mode = modeNamed(call.mode) as Mode;
    const id = this.#ids.get(call.label) ?? lkid(0);
    if (call.verb === 'lock') return { kind: 'lock', lockspace, owner, name: call.resource, mode, flags, value, cookie: call.label };
    if (call.verb === 'convert') return { kind: 'convert', lockspace, lkid: id, mode, flags, value };
    if (call.verb === 'unlock') return { kind: 'unlock', lockspace, lkid: id, flags, value };
    return { kind: 'cancel', lockspace, lkid: id, flags, status: call.verb === 'cancel' ? 'ECANCEL' : 'EDEADLK' };
  }

  #tell(effect: Extract<Effect, { cookie: unknown }>): { label: string; text: string } {
    const label = effect.cookie as string;
    if (effect.kind === 'adopt') this.#ids.delete(this.#labels.get(effect.lkid)!);
    this.#ids.set(label, effect.lkid);
    this.#labels.set(effect.lkid, label);
    if (effect.kind === 'wait') return { label, text: 'waits' };
    if (effect.kind !== 'complete') return { label, text: `${effect.kind === 'block' ? 'blocks' : 'adopted'} ${nameOfMode(effect.mode)}` };
    const { status, mode, results, value, valueState } = effect;
    const words = [status, nameOfMode(mode), ...namesOfResults(results).sort(), value === null ? '-' : textOf(value), valueState];
    return { label, text: words.join(' ') };
  }

  #state(): string {
    const { resources } = this.#node.dump(lockspace)!;
    const show = ({ lkid: id, isOrphan, granted, requested }: LockDump): string =>
      `${this.#labels.get(id)}${isOrphan ? '*' : ''}:${nameOfMode(granted)}>${nameOfMode(requested)}`;
    return resources.map(({ name, granted, converting, waiting, value, isInvalid }) => {
      const queues = [granted, converting, waiting].map((locks) => locks.map(show));
      return showResource(name, queues, value === null ? null : textOf(value), isInvalid);
    }).join(' ');
  }
}

/** Values are short words; a byte a character. */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(valueLength);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) if (byte !== 0) text += String.fromCharCode(byte);
  return text;
}
