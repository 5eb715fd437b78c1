/**
 * What the etcd engine makes of answers that a real etcd gives only when things go
 * wrong at the right moment: here they come from a server that says what it is told to.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { EtcdGateway, EtcdRefusal, EtcdSilence } from '../../src/core/host/engine/etcd-gateway.js';
import { EtcdLease, leaseTiming } from '../../src/core/host/engine/etcd-lease.js';
import { EtcdKeys, ranOut, type EtcdRecord } from '../../src/core/host/engine/etcd-record.js';
import { after, present } from '../../src/core/host/engine/moment.js';
import { scratch } from '../host/scratch.js';

type Said = { readonly status?: number; readonly body: object | string } | 'nothing';
type Script = (path: string, token: string | undefined, body: Record<string, unknown>) => Said;

/** A server that answers by this script; what it was asked. */
async function serverOf(test: TestContext, script: Script): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((text) => {
      asked.push(request.url!);
      const said = script(request.url!, request.headers.authorization, JSON.parse(text) as Record<string, unknown>);
      if (said === 'nothing') return;
      response.statusCode = said.status ?? 200;
      response.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}

function gatewayTo(test: TestContext, endpoints: readonly string[], more: object = {}): EtcdGateway {
  const gateway = new EtcdGateway({ endpoints, ...more }, 1_000);
  test.after(() => gateway.close());
  return gateway;
}

/** An etcd with a lease of six seconds and nothing else, in these terms, one a read. */
function leaseScript(terms: string[], ttl: () => string | undefined = () => '6'): Script {
  return (path) => {
    if (path === '/v3/lease/grant') return { body: { ID: '7', TTL: '6' } };
    if (path === '/v3/lease/keepalive') return { body: { result: { ID: '7', TTL: ttl() } } };
    return { body: { header: { revision: '1', raft_term: terms.shift() }, responses: [{ response_range: {} }, { response_range: {} }] } };
  };
}

const keys = new EtcdKeys('/dlm', 'c');

describe('a lease at etcd', () => {
  it('leaves a third of itself for stopping, and is renewed several times before', () => {
    for (const ttl of [2_000, 5_000, 10_000, 60_000]) {
      const { stopMillis, regrantMillis, beatMillis, requestMillis } = leaseTiming(ttl);
      assert.equal(regrantMillis, ttl);
      assert.ok(stopMillis <= regrantMillis - ttl / 3);
      assert.ok(beatMillis * 3 < stopMillis);
      assert.ok(requestMillis * 3 < stopMillis);
    }
  });

  it('counts from before it was asked for, and from before a renewal', async (test) => {
    const { origin } = await serverOf(test, leaseScript(['2', '2', '2']));
    const gateway = gatewayTo(test, [origin]);
    const before = performance.now();
    const lease = await EtcdLease.grant(gateway, keys, 5_500);
    const granted = lease.until;
    assert.equal(lease.hasEnded(), false);
    assert.ok(granted >= before + 4_000 && granted < performance.now() + 4_000);
    await lease.renew(gateway.current);
    assert.ok(lease.until > granted && lease.until < performance.now() + 4_000);
  });

  it('has ended when the time of the machine is over, though its timers stood still while it was suspended', async (test) => {
    const { origin } = await serverOf(test, leaseScript(['2', '2', '2', '2', '2']));
    const gateway = gatewayTo(test, [origin]);
    const lease = await EtcdLease.grant(gateway, keys, 6_000);
    const { at, up } = present();
    assert.equal(lease.hasEnded({ at, up }), false);
    assert.equal(lease.hasEnded({ at, up: up + 4_100 }), true);
    assert.equal(lease.hasEnded({ at: at + 4_100, up }), true);
    await lease.renew(gateway.current);
    assert.equal(lease.hasEnded(after(present(), 1_000)), false);
  });

  it('is not renewed by a leader in whose term no majority reads any more', async (test) => {
    const { origin } = await serverOf(test, leaseScript(['2', '3', '3']));
    const gateway = gatewayTo(test, [origin]);
    const lease = await EtcdLease.grant(gateway, keys, 6_000);
    const { until } = lease;
    await lease.renew(gateway.current);
    assert.equal(lease.until, until);
    await lease.renew(gateway.current);
    assert.ok(lease.until > until);
  });

  it('is renewed by one member of etcd alone: at another one the term is read first', async (test) => {
    const deposed = await serverOf(test, leaseScript(['2', '3']));
    const other = await serverOf(test, leaseScript(['2', '2']));
    const gateway = gatewayTo(test, [other.origin, deposed.origin]);
    const lease = await EtcdLease.grant(gateway, keys, 6_000);
    await lease.renew(gateway.endpoints[0]!);
    const { until } = lease;
    await lease.renew(gateway.endpoints[1]!);
    assert.equal(lease.until, until);
    assert.equal(deposed.asked.length, 3);
  });

  it('is not renewed when etcd does not know it', async (test) => {
    const { origin } = await serverOf(test, leaseScript(['2', '2'], () => undefined));
    const gateway = gatewayTo(test, [origin]);
    const lease = await EtcdLease.grant(gateway, keys, 6_000);
    const { until } = lease;
    await lease.renew(gateway.current);
    assert.equal(lease.until, until);
  });
});

describe('the gateway of etcd', () => {
  const fine: Script = () => ({ body: { header: { cluster_id: '1' } } });

  it('goes on to the next endpoint when one does not answer, and stays there', async (test) => {
    const silent = await serverOf(test, () => 'nothing');
    const busy = await serverOf(test, () => ({ status: 503, body: { error: 'etcdserver: request timed out', code: 14 } }));
    const strange = await serverOf(test, () => ({ body: 'hello' }));
    const good = await serverOf(test, fine);
    const gateway = gatewayTo(test, [silent.origin, busy.origin, strange.origin, good.origin]);
    await gateway.call('/v3/kv/range', {});
    await gateway.call('/v3/kv/range', {});
    assert.deepEqual([silent, busy, strange, good].map(({ asked }) => asked.length), [1, 1, 1, 2]);
    assert.equal(gateway.current.origin, good.origin);
  });

  it('is silent when all are, and says why of each', async (test) => {
    const busy = await serverOf(test, () => ({ status: 503, body: { error: 'etcdserver: no leader', code: 14 } }));
    const gateway = gatewayTo(test, [busy.origin, 'http://127.0.0.1:1']);
    await assert.rejects(gateway.call('/v3/kv/range', {}), (error) => error instanceof EtcdSilence && /no leader; .*127\.0\.0\.1:1/.test(error.message));
  });

  it('asks nobody else when etcd refuses', async (test) => {
    const refusing = await serverOf(test, () => ({ status: 403, body: { error: 'etcdserver: permission denied', code: 7 } }));
    const good = await serverOf(test, fine);
    const gateway = gatewayTo(test, [refusing.origin, good.origin]);
    await assert.rejects(gateway.call('/v3/kv/range', {}), (error) => error instanceof EtcdRefusal && error.isOfRights);
    assert.equal(good.asked.length, 0);
  });

  it('takes the first etcd that answers for the only one', async (test) => {
    const good = await serverOf(test, fine);
    const other = await serverOf(test, () => ({ body: { header: { cluster_id: '2' } } }));
    const gateway = gatewayTo(test, [good.origin, other.origin]);
    await gateway.call('/v3/kv/range', {});
    await assert.rejects(gateway.endpoints[1]!.call('/v3/kv/range', {}), /another etcd/);
  });

  it('gets itself a new token when the old one has run out, once', async (test) => {
    let tokens = 0;
    const { origin, asked } = await serverOf(test, (path, token, body) => {
      if (path === '/v3/auth/authenticate') {
        assert.deepEqual([body['name'], body['password'], token], ['u', 'p w', undefined]);
        tokens += 1;
        return { body: { token: `t${tokens}` } };
      }
      return token === 't2' ? { body: {} } : { status: 401, body: { error: 'etcdserver: invalid auth token', code: 16 } };
    });
    const passwordFile = `${scratch(test)}/p`;
    writeFileSync(passwordFile, 'p w\n');
    const gateway = gatewayTo(test, [origin], { user: 'u', passwordFile });
    await gateway.call('/v3/kv/range', {});
    assert.equal(asked.filter((path) => path === '/v3/auth/authenticate').length, 2);
  });

  it('refuses what would be a mistake, without repeating a password', () => {
    const tries: [object, RegExp][] = [
      [{ endpoints: [] }, /1 to 32 endpoints/],
      [{ endpoints: ['127.0.0.1:2379'] }, /is no endpoint/],
      [{ endpoints: ['http://h:2379/v3'] }, /is no endpoint/],
      [{ endpoints: ['http://u:s3cret@h:2379'] }, /no user and no password/],
      [{ endpoints: ['http://h:2379'], user: 'u' }, /go together/],
      [{ endpoints: ['https://h:2379'], cert: 'c' }, /go together/],
      [{ endpoints: ['http://h:2379'], user: 'u', passwordFile: 'f' }, /for everybody on the way to read/],
    ];
    for (const [options, message] of tries) {
      assert.throws(() => new EtcdGateway(options as never, 1_000), (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, 'DLM_USAGE');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message + error.hint, /s3cret/);
        return true;
      });
    }
  });
});

describe('who is out because its lease has run out', () => {
  const enrolled = (node: number, life: string): EtcdRecord['members'][number] => ({ node, life, name: `n${node}`, incarnation: 7, address: '', weight: 1, lockspaces: [], pid: 0, started: 0 });
  const record = (id: number, members: EtcdRecord['members'], more: Partial<EtcdRecord> = {}): EtcdRecord => ({
    id, previous: id - 1, members, leftCleanly: [], incarnations: [], ...more,
  });
  const before = record(5, [enrolled(1, 'a'), enrolled(2, 'b'), enrolled(3, 'c')]);

  it('is whoever is missing, also if its next life is there', () => {
    assert.deepEqual(ranOut(before, record(6, [enrolled(1, 'a'), enrolled(3, 'd')])).map(({ life }) => life), ['b', 'c']);
  });

  it('is not who was declared failed: its lease may have had much time left', () => {
    const after = record(6, [enrolled(1, 'a')], { expelled: { node: 2, reason: 'wedged' } });
    assert.deepEqual(ranOut(before, after).map(({ life }) => life), ['c']);
  });

  it('is nobody who was not there before', () => {
    assert.deepEqual(ranOut(null, before), []);
  });
});
