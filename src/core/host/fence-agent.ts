/**
 * One call of a fence agent, and what its answer means.
 *
 * The agents are the field's own (fence-agents of ClusterLabs), unchanged: they read
 * lines of `key=value`, the action among them, and what counts is the exit code alone.
 * Their texts are kept for people, without the secrets.
 *
 *   off     0: done         anything else: not known to be off
 *   status  0: it is on     2: it is off     anything else: not known
 *
 * An agent that can tell the status is asked for it after it has said that all is off:
 * a device may have taken the command and done nothing. One that cannot is believed,
 * and the record says so. What the agent can do stands in its metadata.
 */
import { existsSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { runBounded, type ProgramEnd } from './bounded-program.js';
import type { FenceParameters, Resolved } from './fence-parameters.js';
import { checkProgram } from './trusted-file.js';

export type AgentAction = 'off' | 'on' | 'status' | 'monitor';

/** `failed`: it said that it did not, or could not tell. `assumed`: nobody has looked. */
export type Verdict = 'done' | 'is off' | 'is on' | 'answers' | 'assumed' | 'failed' | 'timed out' | 'cancelled';

/** One step towards a fenced node, for the record. There is nothing secret in it. */
export interface FenceAttempt {
  /** When it began, by the clock on the wall. */
  readonly at: string;
  readonly node: number;
  /** Which try, 1 being the device of the first choice. */
  readonly level: number;
  readonly device: string;
  readonly agent: string;
  readonly action: string;
  readonly millis: number;
  /** Null: there was no exit code. */
  readonly exit: number | null;
  readonly verdict: Verdict;
  /** Why, in a few words. */
  readonly reason: string;
  readonly output: string;
}

export interface AgentAbilities {
  readonly actions: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
}

/** Where agents are that are named by their name alone. */
const agentFolder = '/usr/sbin';

/** So much of what an agent prints is kept, in bytes. */
export const outputMax = 16 * 1024;

/** So much of its last line is part of a reason, in characters. */
const wordsMax = 120;

const metadataMax = 512 * 1024;
const metadataMillis = 20_000;

/** The full path of an agent. Throws `DLM_CONFIG_INVALID`. */
export function findAgent(agent: string): string {
  const path = agent.startsWith('/') ? agent : `${agentFolder}/${agent}`;
  if (!/^[\w.-]+$/.test(agent) && agent !== path) {
    throw new DlmError('DLM_CONFIG_INVALID', 'a fence agent is named by a plain name or by its full path', `agents without a path are looked for in ${agentFolder}`);
  }
  if (!existsSync(path)) {
    throw new DlmError('DLM_CONFIG_INVALID', `the fence agent ${path} is not installed`, 'install it (in Debian: fence-agents), or name another one by its full path');
  }
  checkProgram(path, 'the fence agent');
  return path;
}

/** Call it. Secrets are in its standard input and nowhere else. Never rejects. */
export async function callAgent(call: {
  readonly path: string;
  readonly action: AgentAction;
  readonly parameters: Resolved;
  readonly timeoutMillis: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<{ end: ProgramEnd; verdict: Verdict; reason: string; output: string }> {
  const { path, action, timeoutMillis, signal } = call;
  const { values, secrets } = call.parameters;
  const lines = [['action', action], ...values].map(([key, value]) => `${key}=${value}\n`);
  const end = await runBounded({ path, input: lines.join(''), timeoutMillis, outputMax: outputMax + secrets.bytesMax, signal });
  const redact = (text: string): string => secrets.redact(text);
  const { verdict, reason } = judge(action, end);
  const said = verdict === 'failed' && end.how === 'exited' ? lastWords(end, redact) : '';
  return { end, verdict, reason: said === '' ? reason : `${reason}: ${said}`, output: shownOutput(end, redact) };
}

function judge(action: AgentAction, end: ProgramEnd): { verdict: Verdict; reason: string } {
  if (end.how === 'timed out' || end.how === 'cancelled') return { verdict: end.how, reason: end.words };
  if (action === 'status' && end.exit === 0) return { verdict: 'is on', reason: 'the device says that it is on' };
  if (action === 'status' && end.exit === 2) return { verdict: 'is off', reason: 'the device says that it is off' };
  if (action === 'monitor' && end.exit === 0) return { verdict: 'answers', reason: 'the device answers' };
  if (action !== 'status' && end.exit === 0) return { verdict: 'done', reason: end.words };
  return { verdict: 'failed', reason: end.words };
}

/** What it said last, in one short line. Nothing of an output that is not whole: it may end within a secret. */
function lastWords({ stdout, stderr, bytesLost }: ProgramEnd, redact: (text: string) => string): string {
  if (bytesLost > 0) return '';
  const lines = [stdout, stderr].flatMap((part) => redact(part).split(/[\n\r]/));
  const line = lines.map((one) => one.replace(/[\p{C}\s]+/gu, ' ').trim()).filter((one) => one !== '').at(-1) ?? '';
  const characters = [...line];
  return characters.length <= wordsMax ? line : `${characters.slice(0, wordsMax).join('')}…`;
}

/** Both outputs, the errors last, where the reason stands as a rule. */
export function shownOutput(end: ProgramEnd, redact: (text: string) => string): string {
  const text = [end.stdout, end.stderr].map((part) => redact(part).trim()).filter((part) => part !== '').join('\n');
  const bytes = Buffer.from(text);
  const lost = end.bytesLost + Math.max(0, bytes.length - outputMax);
  return lost === 0 ? text : `${bytes.subarray(0, outputMax).toString('utf8')}\n(${lost} bytes more)`;
}

/** What the agent can do; null if it does not say. Never rejects. */
export async function abilitiesOf(path: string, signal?: AbortSignal): Promise<AgentAbilities | null> {
  const end = await runBounded({ path, input: 'action=metadata\n', timeoutMillis: metadataMillis, outputMax: metadataMax, signal });
  if (end.exit !== 0 || !end.stdout.includes('<resource-agent')) return null;
  const named = (kind: string): Set<string> =>
    new Set([...end.stdout.matchAll(new RegExp(`<${kind}\\s[^>]*?\\bname="([^"]+)"`, 'g'))].map(([, name]) => name!));
  return { actions: named('action'), parameters: named('parameter') };
}

/** As much of it as the agent is told: the node's number too, unless it would not know what that is. */
export function parametersFor(parameters: FenceParameters, node: FenceParameters, abilities: AgentAbilities | null): FenceParameters {
  const knowsNode = abilities === null || abilities.parameters.has('node');
  return knowsNode ? node.with(parameters) : parameters;
}
