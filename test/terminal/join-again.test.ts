/**
 * Where a node has been a member, whoever finds none is told the line with which it is
 * one again; it can be pasted, whatever was chosen then.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Desk } from './shell.js';

test('the hint of 96 is the line that made the node a member', { timeout: 60_000 }, async () => {
  const desk = new Desk();
  try {
    mkdirSync(join(desk.work, 'our clusters'), { mode: 0o700 });
    const joined = await desk.dlm('node', 'join', '--cluster', 'demo', '--cluster-dir', 'our clusters', '--node', '7', '--name', 'seven', '--detach');
    assert.equal(joined.exit, 0, joined.err);
    await desk.dlm('node', 'leave');
    const { exit, err } = await desk.dlm('lock', 'a', '--', 'true');
    assert.equal(exit, 96);
    const [, line] = /^hint: be a member again with: (.*); or, if the cluster is no more: /m.exec(err) ?? [];
    assert.equal(line, `dlm node join --cluster demo --node 7 --name seven --cluster-dir '${desk.work}/our clusters' --detach`);
    const again = await desk.shell(line);
    assert.equal(again.exit, 0, again.err);
    assert.match((await desk.dlm('members')).out, /^7 +seven +self /m);
  } finally {
    await desk.clear();
  }
});
