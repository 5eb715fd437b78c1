/**
 * The options with which a program's node would be a member again, for people: they lead to the same cluster, and can be pasted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineFor } from '../../src/core/host/cluster-options.js';
import { readSecretText } from '../../src/core/host/trusted-file.js';
import { scratch } from './scratch.js';
import { writeFileSync } from 'node:fs';

for (const [what, options, line] of [
  ['the line that was typed', { cluster: 'web', line: '--cluster web --node 7' }, '--cluster web --node 7'],
  ['a folder', { cluster: 'web', base: '/srv/our clusters' }, "--cluster web --cluster-dir '/srv/our clusters'"],
  ['a folder that does not fit on a line', { cluster: 'web', base: '/srv/a\nb' }, '--cluster web --cluster-dir FOLDER'],
  ['corosync', { cluster: 'web', engine: 'corosync' }, '--cluster web --engine corosync'],
  ['an etcd', { cluster: 'web', engine: 'etcd', etcd: { endpoints: ['http://a:1', 'http://b:1'], ttlMillis: 20_000 } }, '--cluster web --etcd http://a:1,http://b:1'],
  ['an etcd with a prefix of its own', { cluster: 'web', engine: 'etcd', etcd: { endpoints: ['http://a:1'], ttlMillis: 20_000, prefix: '/ours' } }, '--cluster web --etcd http://a:1 --etcd-prefix /ours'],
] as const) {
  test(`says ${what}`, () => assert.equal(lineFor(options), line));
}

test('what is to be done about a secret that others can read can be pasted, too', (context) => {
  const path = `${scratch(context)}/the key`;
  writeFileSync(path, 'secret\n', { mode: 0o644 });
  assert.throws(() => readSecretText(path, 'the key of the cluster'), { code: 'DLM_CONFIG_INVALID', hint: `take that away with: chmod go-r '${path}'` });
});
