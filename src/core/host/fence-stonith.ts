/**
 * Fencing where Pacemaker runs: it is asked to do it, by its own command.
 *
 * Two who fence the same nodes by devices of their own would fence what the other has
 * just repaired, so whoever has Pacemaker leaves it to it. Its command returns when the
 * node has been fenced; that this is really in Pacemaker's history, and the last entry
 * no failure, is looked at afterwards. Nodes are known to it by name.
 *
 * `dlm_stonith`, which does the same for dlm_controld, is an agent like any other.
 */
import { runBounded, type ProgramEnd } from './bounded-program.js';
import { outputMax, shownOutput, type Verdict } from './fence-agent.js';

export interface StonithAnswer {
  readonly end: ProgramEnd;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly output: string;
}

export const stonithPath = '/usr/sbin/stonith_admin';

/** Pacemaker gives up before we do, so that its reason is heard. */
const marginMillis = 2_000;
const lookMillis = 20_000;

interface Call {
  readonly path: string;
  /** As Pacemaker calls it. */
  readonly name: string;
  readonly timeoutMillis: number;
  readonly signal?: AbortSignal | undefined;
}

/** Never rejects. */
export async function stonithFence({ path, name, timeoutMillis, signal }: Call): Promise<StonithAnswer> {
  const seconds = Math.max(1, Math.floor((timeoutMillis - marginMillis) / 1000));
  const end = await run(path, [`--fence=${name}`, `--timeout=${seconds}`, '--tag=dlm'], timeoutMillis, signal);
  return answer(end, end.exit === 0 ? 'done' : null, end.words);
}

/** Does its history say so too? */
export async function stonithStatus({ path, name, signal }: Call): Promise<StonithAnswer> {
  const end = await run(path, [`--history=${name}`, '--verbose', '--output-as=xml'], lookMillis, signal);
  if (end.exit !== 0) return answer(end, null, end.words);
  const last = lastEvent(end.stdout, name);
  if (last === null) return answer(end, 'failed', `Pacemaker's history has no fencing of ${name}`);
  if (last.status !== 'success') return answer(end, 'failed', `the last fencing of ${name} in Pacemaker's history is marked ${last.status}`);
  return answer(end, last.action === 'on' ? 'is on' : 'is off', `Pacemaker's history says ${last.action}, done ${last.completed}`);
}

/** Has Pacemaker a device for it? */
export async function stonithTest({ path, name, signal }: Call): Promise<StonithAnswer> {
  const end = await run(path, [`--list=${name}`], lookMillis, signal);
  return answer(end, end.exit === 0 ? 'answers' : null, end.exit === 0 ? 'Pacemaker has a device for it' : end.words);
}

interface Event {
  readonly status: string;
  readonly action: string;
  readonly completed: string;
}

/** The one that was completed last; one that is under way is later than all. */
function lastEvent(xml: string, target: string): Event | null {
  const events = [...xml.matchAll(/<fence_event\s([^>]*?)\/?>/g)].map(([, text]) => new Map([...text!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!])));
  const own = events.filter((event) => event.get('target') === target).map((event) => ({
    status: event.get('status') ?? 'unknown',
    action: event.get('action') ?? 'unknown',
    completed: event.get('completed') ?? '',
  }));
  const when = ({ completed }: Event): number => {
    const millis = Date.parse(completed);
    return Number.isNaN(millis) ? Infinity : millis;
  };
  return own.reduce<Event | null>((last, event) => (last === null || when(event) > when(last) ? event : last), null);
}

function run(path: string, words: string[], timeoutMillis: number, signal: AbortSignal | undefined): Promise<ProgramEnd> {
  return runBounded({ path, words, input: '', timeoutMillis, outputMax: 4 * outputMax, signal });
}

function answer(end: ProgramEnd, verdict: Verdict | null, reason: string): StonithAnswer {
  const stopped = end.how === 'timed out' || end.how === 'cancelled' ? end.how : 'failed';
  return { end, verdict: verdict ?? stopped, reason, output: shownOutput(end, (text) => text) };
}
