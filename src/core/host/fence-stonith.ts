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

/**
 * Pacemaker gives up before we do, so that its reason is heard: whoever kills its command
 * ends a command, and not the fencing. The time that it is told is for one call of an
 * agent; for the whole, with a second try elsewhere, it takes a fifth more.
 */
const marginMillis = 2_000;
const wholeFactor = 1.2;
const lookMillis = 20_000;

interface Call {
  readonly path: string;
  /** As Pacemaker calls it. */
  readonly name: string;
  readonly timeoutMillis: number;
  /** It is to be turned on again. */
  readonly isReboot: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Turn it off; or off and on again, which is one action to Pacemaker: where it does so by
 * itself, too, it makes one of the two. Never rejects.
 */
export async function stonithFence({ path, name, timeoutMillis, isReboot, signal }: Call): Promise<StonithAnswer> {
  const seconds = Math.max(1, Math.floor((timeoutMillis - marginMillis) / wholeFactor / 1000));
  const end = await run(path, [`--${isReboot ? 'reboot' : 'fence'}=${name}`, `--timeout=${seconds}`, '--tag=dlm'], timeoutMillis, signal);
  return answer(end, end.exit === 0 ? 'done' : null, whyOf(end));
}

/** Does its history say so too? */
export async function stonithStatus({ path, name, signal }: Call): Promise<StonithAnswer> {
  const end = await run(path, [`--history=${name}`, '--verbose', '--output-as=xml'], lookMillis, signal);
  if (end.exit !== 0) return answer(end, null, whyOf(end));
  const last = lastEvent(end.stdout, name);
  if (last === null) return answer(end, 'failed', `Pacemaker's history has no fencing of ${name}`);
  if (last.status !== 'success') return answer(end, 'failed', `the last fencing of ${name} in Pacemaker's history is marked ${last.status}`);
  return answer(end, last.action === 'on' ? 'is on' : 'is off', `Pacemaker's history says ${last.action}, done ${last.completed}`);
}

/**
 * Has Pacemaker a device for it? As far as Pacemaker on this host knows, which is not told
 * of devices that may not be used from here.
 */
export async function stonithTest({ path, name, signal }: Call): Promise<StonithAnswer> {
  const end = await run(path, [`--list=${name}`, '--output-as=xml'], lookMillis, signal);
  if (end.exit !== 0) return answer(end, null, whyOf(end));
  const devices = [...end.stdout.matchAll(/<item\b[^>]*>([^<]+)<\/item>/g)].map(([, device]) => device!);
  if (devices.length === 0) return answer(end, 'failed', `Pacemaker has no device on this host for ${name}`);
  return answer(end, 'answers', `Pacemaker has a device for it: ${devices.join(', ')}`);
}

interface Event {
  readonly status: string;
  readonly action: string;
  readonly completed: string;
}

/**
 * The one that was completed last. One that is under way is not ours, which has ended: it
 * says nothing yet, and what it comes to changes nothing of what was done.
 */
function lastEvent(xml: string, target: string): Event | null {
  const events = [...xml.matchAll(/<fence_event\s([^>]*?)\/?>/g)].map(([, text]) => new Map([...text!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!])));
  const ended = events.filter((event) => event.get('target') === target && event.get('status') !== 'pending').map((event) => ({
    status: event.get('status') ?? 'unknown',
    action: event.get('action') ?? 'unknown',
    completed: event.get('completed') ?? '',
  }));
  const when = ({ completed }: Event): number => {
    const millis = Date.parse(completed);
    return Number.isNaN(millis) ? Infinity : millis;
  };
  // Within a second the first one, since the history has the latest first.
  return ended.reduce<Event | null>((last, event) => (last === null || when(event) > when(last) ? event : last), null);
}

/** In Pacemaker's own words, where it has said something; what it says as XML is in its output. */
function whyOf(end: ProgramEnd): string {
  if (end.how !== 'exited' || end.exit === 0) return end.words;
  const inXml = [...end.stdout.matchAll(/<error>([^<]+)<\/error>/g)].map(([, text]) => plainOf(text!));
  const said = [...end.stderr.split('\n'), ...inXml].map((line) => line.trim().replace(/^stonith_admin: /, '')).filter((line) => line !== '').at(-1);
  return said === undefined ? end.words : `${said} (${end.words})`;
}

function plainOf(text: string): string {
  const plain: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => plain[name]!);
}

function run(path: string, words: string[], timeoutMillis: number, signal: AbortSignal | undefined): Promise<ProgramEnd> {
  return runBounded({ path, words, input: '', timeoutMillis, outputMax: 4 * outputMax, signal });
}

function answer(end: ProgramEnd, verdict: Verdict | null, reason: string): StonithAnswer {
  const stopped = end.how === 'timed out' || end.how === 'cancelled' ? end.how : 'failed';
  return { end, verdict: verdict ?? stopped, reason, output: shownOutput(end, (text) => text) };
}
