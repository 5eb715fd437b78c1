/**
 * Lines and what is in them: however they are cut into chunks, and whatever
 * somebody writes into them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineReader } from '../../src/core/host/line-reader.js';
import { LineRefused, parseRequest, requestShapes } from '../../src/core/host/session-protocol.js';

const readAll = (reader: LineReader): string[] => {
  const lines: string[] = [];
  for (let line = reader.next(); line !== null; line = reader.next()) lines.push(line.toString('latin1'));
  return lines;
};

describe('lines', () => {
  it('are the same however they are cut into chunks', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.map((byte) => (byte % 5 === 0 ? 0x0a : byte)))));
    fc.assert(
      fc.property(chunks, fc.array(fc.boolean()), (all, readAfter) => {
        const reader = new LineReader(10_000);
        const lines: string[] = [];
        all.forEach((chunk, index) => {
          reader.push(chunk);
          if (readAfter[index] === true) lines.push(...readAll(reader));
        });
        lines.push(...readAll(reader));
        assert.deepEqual(lines, Buffer.concat(all).toString('latin1').split('\n').slice(0, -1));
      }),
      { numRuns: 2_000 },
    );
  });

  it('are refused before they are longer than the limit, ended or not', () => {
    for (const text of ['12345', '1234', '5']) {
      const reader = new LineReader(5);
      reader.push(Buffer.from('12345\n'));
      assert.deepEqual(readAll(reader), ['12345']);
      reader.push(Buffer.from(text));
      assert.equal(reader.next(), null);
      reader.push(Buffer.from('67890'));
      assert.throws(() => reader.next(), { code: 'DLM_PROTOCOL', message: /longer than 5/ });
    }
  });
});

describe('a request', () => {
  const parse = (text: string | Uint8Array): unknown => parseRequest(Buffer.from(text));

  it('has every key of its operation, null where it was left out', () => {
    assert.deepEqual(parse('{"id":1,"op":"lock","lockspace":"d","name":"a:{\\"b","mode":"EX","flags":["NOQUEUE"]}'), {
      id: 1,
      op: 'lock',
      lockspace: 'd',
      name: 'a:{"b',
      nameHex: null,
      mode: 'EX',
      flags: ['NOQUEUE'],
      valueHex: null,
      owner: null,
      recovery: null,
      blocking: null,
    });
  });

  it('is parsed or refused, whatever is in the line', () => {
    const operations = Object.keys(requestShapes);
    const keys = [...new Set(['id', 'op', '__proto__', 'constructor', ...Object.values(requestShapes).flatMap((shape) => Object.keys(shape))])];
    const message = fc.record(
      { id: fc.jsonValue({ maxDepth: 2 }), op: fc.oneof(fc.constantFrom(...operations), fc.string()), rest: fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 })) },
      { requiredKeys: ['rest'] },
    );
    const line = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      message.map(({ rest, ...most }) => Buffer.from(JSON.stringify({ ...most, ...rest }))),
    );
    fc.assert(
      fc.property(line, (bytes) => {
        try {
          const request = parseRequest(bytes);
          assert.ok(Object.hasOwn(requestShapes, request.op));
          assert.deepEqual(Object.keys(request).sort(), ['id', 'op', ...Object.keys(requestShapes[request.op])].sort());
        } catch (error) {
          assert.ok(error instanceof LineRefused, String(error));
          assert.equal(error.reason.code, 'DLM_PROTOCOL');
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('is written down on the page of the protocol, with its keys', () => {
    const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
    const rows = new Map([...page.matchAll(/^\| `(\w+)` \|(.*?)\| .* \|$/gm)].map(([, op, keys]) => [op, [...keys!.matchAll(/`(\w+)\??`/g)].map(([, key]) => key)]));
    for (const [op, shape] of Object.entries(requestShapes)) {
      if (op !== 'hello') assert.deepEqual(rows.get(op)?.sort(), Object.keys(shape).sort(), op);
    }
  });
});
