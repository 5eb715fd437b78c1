import { after, test } from 'node:test';
import { Machines, deviceOf } from './machines.js';

test('smoke', { timeout: 100_000 }, async (t) => {
  const machines = new Machines(t, { count: 3, engine: 'corosync', config: deviceOf });
  const t0 = Date.now();
  await machines.start();
  console.log('started', Date.now() - t0);
  const one = machines.machine(1);
  console.log(await one.dlm('node', 'status'));
  console.log(await one.ask('node', 'status'));
  for (const m of machines.all) console.log(await m.dlm('lockspace', 'create', 'jobs', '--order', 'fence-first'));
  const h = machines.machine(3).spawnDlm(['lock', '-l', 'jobs', 'x', '--', 'sleep', '100'], 2);
  await new Promise((r) => setTimeout(r, 1500));
  console.log(await one.dlm('locks', '-l', 'jobs'));
  await machines.machine(3).killNode();
  const t1 = Date.now();
  console.log(await one.dlm('lock', '-l', 'jobs', 'x', '--', 'echo', 'got'));
  console.log('regrant', Date.now() - t1);
  for (const m of machines.all) console.log(m.node, m.log());
  const { execSync } = await import('node:child_process');
  console.log(execSync(`ls ${one.dir}; cat ${one.dir}/*.jsonl; cat ${machines.hosts.folder}/bmc*/orders ${machines.hosts.folder}/bmc*/errors; true`, {encoding:'utf8'}));
});
