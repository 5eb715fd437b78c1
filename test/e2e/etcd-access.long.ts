/**
 * The etcd engine at an etcd that asks who we are: by password, and by certificate.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { Cast } from '../engine/cast.js';
import { scratch } from '../host/scratch.js';
import { startedWith } from '../kill/processes.js';
import { etcdAt } from './etcd-kind.js';
import { EtcdServers } from './etcd-servers.js';

const secret = 'pass-word-4711';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** An etcd that lets in `dlm` below /dlm, and `root`; the place of a file with the password. */
async function guarded(test: TestContext): Promise<{ servers: EtcdServers; passwordFile: string }> {
  const servers = await EtcdServers.start(test);
  const range = { key: base64('/dlm/'), range_end: base64('/dlm0') };
  await servers.tell('/v3/auth/role/add', { name: 'dlm' });
  await servers.tell('/v3/auth/role/grant', { name: 'dlm', perm: { permType: 'READWRITE', ...range } });
  for (const [name, role] of [['root', 'root'], ['dlm', 'dlm']] as const) {
    await servers.tell('/v3/auth/user/add', { name, password: secret });
    await servers.tell('/v3/auth/user/grant', { user: name, role });
  }
  await servers.tell('/v3/auth/enable', {});
  const passwordFile = `${scratch(test)}/password`;
  writeFileSync(passwordFile, `${secret}\n`, { mode: 0o600 });
  return { servers, passwordFile };
}

describe('the etcd engine: by password', () => {
  it('the right one lets in, also after etcd has forgotten who we are', async (test) => {
    const { servers, passwordFile } = await guarded(test);
    const cast = new Cast(test, etcdAt(servers.endpoints, { user: 'dlm', passwordFile, ttlMillis: 30_000 }).open(test));
    const [a, b] = await cast.joinAll('a', 'b');
    // It keeps tokens in memory only.
    await servers.kill(0);
    servers.revive(0);
    await a!.announce({ x: 1 });
    for (const one of [a!, b!]) await one.sees('x', () => one.last.members[0]!.lockspaces['x'] === 1);
    await b!.leave();
    await a!.seesMembers('a');
    const command = readFileSync(`/proc/${a!.stage.pid}/cmdline`, 'utf8');
    assert.ok(!command.includes(secret));
    assert.deepEqual(startedWith(`PASSWORD=${secret}`), []);
    cast.check();
  });

  it('a wrong one, none, or a user without rights are refused, and nothing is said of the password', async (test) => {
    const { servers, passwordFile } = await guarded(test);
    const wrongFile = `${scratch(test)}/wrong`;
    writeFileSync(wrongFile, 'wrong-4712\n');
    const refused = async (more: object, message: RegExp): Promise<void> => {
      const cast = new Cast(test, etcdAt(servers.endpoints, more).open(test));
      await assert.rejects(cast.join('a'), (error: Error & { code: string }) => {
        assert.equal(error.code, 'DLM_NOT_PERMITTED');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message + (error.stack ?? ''), /4711|4712/);
        return true;
      });
    };
    await refused({ user: 'dlm', passwordFile: wrongFile }, /invalid user ID or password/);
    await refused({ user: 'nobody', passwordFile }, /invalid user ID or password/);
    await refused({}, /user name is empty/);
    await refused({ user: 'dlm', passwordFile, prefix: '/elsewhere' }, /permission denied/);
    await refused({ user: 'dlm', passwordFile: '/no/such/file' }, /cannot read \/no\/such\/file \(ENOENT\)/);
  });
});

/** An authority, and what it has certified: a server of loopback, and a client. */
function certificates(folder: string): Record<'ca' | 'caKey' | 'server' | 'serverKey' | 'client' | 'clientKey', string> {
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const at = (name: string): string => `${folder}/${name}.pem`;
  openssl('req', '-x509', ...key, '-keyout', at('ca-key'), '-out', at('ca'), '-subj', '/CN=authority', '-days', '2');
  for (const name of ['server', 'client']) {
    writeFileSync(at(`${name}-ext`), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    openssl('req', ...key, '-keyout', at(`${name}-key`), '-out', at(`${name}-request`), '-subj', `/CN=${name}`);
    openssl('x509', '-req', '-in', at(`${name}-request`), '-CA', at('ca'), '-CAkey', at('ca-key'), '-CAcreateserial', '-out', at(name), '-extfile', at(`${name}-ext`), '-days', '2');
  }
  return { ca: at('ca'), caKey: at('ca-key'), server: at('server'), serverKey: at('server-key'), client: at('client'), clientKey: at('client-key') };
}

describe('the etcd engine: by certificate', () => {
  it('who trusts the right authority and has a certificate of it is let in, and nobody else', async (test) => {
    const folder = scratch(test);
    const { ca, server, serverKey, client, clientKey } = certificates(folder);
    const words = ['--cert-file', server, '--key-file', serverKey, '--client-cert-auth', '--trusted-ca-file', ca];
    const servers = await EtcdServers.start(test, { scheme: 'https', words });
    const cast = new Cast(test, etcdAt(servers.endpoints, { ca, cert: client, key: clientKey }).open(test));
    const [a, b] = await cast.joinAll('a', 'b');
    assert.deepEqual(a!.last, b!.last);
    cast.check();
    const refused = async (more: object, message: RegExp): Promise<void> => {
      const stranger = new Cast(test, etcdAt(servers.endpoints, { joinMillis: 3_000, ...more }).open(test));
      await assert.rejects(stranger.join('c'), { code: 'DLM_NO_NODE', message });
    };
    await refused({ cert: client, key: clientKey }, /certificate/);
    await refused({ ca }, /certificate/);
  });
});
