/**
 * The commands on a lock that another node decides about: they mean the same as on one
 * machine, patience, doorbell, shell functions and sessions included.
 */
import assert from 'node:assert/strict';
import { test } from '../kill/bounded.js';
import { signalAll, until } from '../kill/processes.js';
import { program } from '../kill/stage.js';
import { Fleet } from './fleet.js';

const busyExit = 80;
const timedOutExit = 81;

/** A cluster where node 1 decides about `far`. */
async function withMaster(): Promise<Fleet> {
  const fleet = await Fleet.of();
  fleet.at(1, 'lock', 'far', '-m', 'NL', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'place');
  await until('node 1 has its place', () => fleet.has('began-place'));
  assert.equal(await fleet.masterOf('far', 1), 1);
  return fleet;
}

test('busy, not in time, and the doorbell: between nodes, under a third', async (test) => {
  const fleet = await withMaster();
  test.after(() => fleet.clear());
  const bell = `echo "$DLM_BLOCKED_MODE" >> ${fleet.folder}/bell`;
  const holder = fleet.at(3, 'lock', 'far', '-q', '--on-blocked', bell, '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'far');
  await until('node 3 holds', () => fleet.has('began-far'));

  const busy = fleet.at(2, 'lock', 'far', '-n', '--', 'true');
  assert.equal(await busy.exit, busyExit);
  assert.match(busy.said(), /far is busy: EX cannot be granted now\n +held in EX for .* by pid \d+ on node 3: /);
  const impatient = fleet.at(2, 'lock', 'far', '-w', '1.5', '--', 'true');
  assert.equal(await impatient.exit, timedOutExit);
  assert.match(impatient.said(), /waiting for EX on far, [^\n]*\n +held in EX for [^\n]* on node 3: [^]*was not granted within 1\.5 s/);
  const patient = fleet.at(2, 'lock', 'far', '-m', 'PR', '-q', '--', 'true');
  await until('it waits', async () => (await fleet.locksOf(2, 'far')).some(({ state }) => state === 'waiting'));
  await until('the bell has rung', () => fleet.read('bell').includes('EX'));
  fleet.tell('finish-far');
  assert.deepEqual(await Promise.all([holder.exit, patient.exit]), [0, 0]);
});

test('a script holds, converts, writes and gives back by its id', async (test) => {
  const fleet = await withMaster();
  test.after(() => fleet.clear());
  const script = `
    id=$("$DLM" lock far -m PR -q) && "$DLM" convert "$id" -m EX -q && echo "$DLM_DIR" > holds &&
    "$DLM" convert "$id" -m NL --value done -q && "$DLM" unlock "$id" -q && "$DLM" lvb get far`;
  const actor = fleet.run(['sh', '-c', script], { env: fleet.envOf(2), cwd: fleet.folder });
  assert.equal(await actor.exit, 0, actor.said());
  assert.equal(actor.said(), 'done\n');
  assert.equal(await fleet.sayAt(3, 'lvb', 'get', 'far'), 'done\n');
});

test('the functions of a shell', async (test) => {
  const fleet = await withMaster();
  test.after(() => fleet.clear());
  const script = `
    PATH=${program.slice(0, program.lastIndexOf('/'))}:$PATH
    eval "$(dlm shellenv bash)" || exit
    for i in 1 2 3 4 5; do
      dlm_lock far -q || exit
      read -r number writer < count
      echo "$((number + 1)) $FLEET_NODE" > count
      dlm_convert far -m PR && dlm_unlock far || exit
    done
    dlm_lvb set tally "$FLEET_NODE"`;
  const actors = [2, 3].map((node) => fleet.run(['bash', '--norc', '-c', script], { env: fleet.envOf(node), cwd: fleet.folder }));
  for (const actor of actors) assert.equal(await actor.exit, 0, actor.said());
  assert.match(fleet.read('count'), /^10 /);
  assert.match(await fleet.sayAt(1, 'lvb', 'get', 'tally'), /^[23]\n/);
});

test('a session in lines of JSON', async (test) => {
  const fleet = await withMaster();
  test.after(() => fleet.clear());
  const actor = fleet.run([program, 'session'], { env: fleet.envOf(3), stdio: ['pipe', 'pipe', 'pipe'] });
  const say = (line: object): void => void actor.process.stdin!.write(`${JSON.stringify(line)}\n`);
  say({ id: 1, op: 'joinLockspace', lockspace: 'default' });
  say({ id: 2, op: 'lock', lockspace: 'default', name: 'far', mode: 'EX' });
  await until('it is granted', async () => (await fleet.locksOf(3, 'far')).some(({ state }) => state === 'granted'));
  assert.equal(await fleet.at(2, 'lock', 'far', '-n', '-q', '--', 'true').exit, busyExit);
  actor.process.stdin!.end();
  assert.equal(await actor.exit, 0, actor.said());
  await fleet.sayAt(2, 'lock', 'far', '-q', '-w', '10', '--', 'true');
});

test('whoever watches the members is told of each change, as a line or as JSON', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const [people, programs] = [fleet.at(1, 'members', '--watch'), fleet.at(1, 'members', '--watch', '--json')];
  await until('both have begun', () => /n3/.test(people.said()) && /n3/.test(programs.said()));
  await fleet.sayAt(2, 'node', 'leave', '-q');
  await fleet.kill(3);
  await fleet.join(2);
  await until('all is told', () => [people, programs].every((watcher) => /n2\D+here/.test(watcher.said())));
  signalAll([people.pid, programs.pid], 'SIGINT');
  assert.deepEqual(await Promise.all([people.exit, programs.exit]), [130, 130]);

  const lines = people.said().trim().split('\n').slice(-3);
  assert.deepEqual(lines.map((line) => line.replace(/^.*(node \d)/, '$1')), ['node 2 (n2) has left', 'node 3 (n3) has failed', 'node 2 (n2) is here']);
  const [first, ...changes] = programs.said().trim().split('\n').map((line) => JSON.parse(line) as { members?: { node: number }[]; node?: number; change?: string });
  assert.deepEqual(first!.members!.map(({ node }) => node), [1, 2, 3]);
  assert.deepEqual(changes.map(({ node, change }) => `${node} ${change}`), ['2 left', '3 failed', '2 here']);
});

test('all members are asked for their locks, also by a node that has not joined the lockspace itself', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const holder = fleet.at(1, 'lock', 'far', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'far');
  await until('node 1 holds', () => fleet.has('began-far'));
  assert.deepEqual((await fleet.statusOf(3))?.lockspaces, []);
  for (const words of [['-a'], ['far', '-a'], ['-a', '-l', 'default']]) {
    const told = JSON.parse(await fleet.sayAt(3, 'locks', '--json', ...words)) as { resource: string; node: number }[];
    assert.deepEqual(told.map(({ resource, node }) => ({ resource, node })), [{ resource: 'far', node: 1 }], words.join(' '));
  }
  const elsewhere = fleet.at(3, 'locks', '-a', '-l', 'nowhere');
  assert.equal(await elsewhere.exit, 92);
  fleet.tell('finish-far');
  assert.equal(await holder.exit, 0);
});
