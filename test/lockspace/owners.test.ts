/**
 * When an owner ends: its locks end with it, others are let in, and the value it
 * may have been writing is no longer trusted. Purging does the same to the living.
 */
import { describe, test } from 'node:test';
import { tell } from '../lock/story.js';

describe('an owner that ends', () => {
  test('releases all its locks, and others are granted', () => tell(`
    A/2 lock EX                 -> A/2 OK EX
    B lock PR                   -> B waits, A/2 blocks PR
    owner 2 ends                -> B OK PR
                                -> G[B:PR] value none invalid
  `));

  test('takes its waiting and converting locks with it', () => tell(`
    A lock PR                   -> A OK PR
    B/2 lock PR                 -> B/2 OK PR
    C/2 lock EX                 -> C/2 waits, A blocks EX, B/2 blocks EX
    B/2 convert EX              -> B/2 waits
    D lock PR                   -> D waits
    owner 2 ends                -> D OK PR
                                -> G[A:PR D:PR]
  `));

  test('hears nothing more, not even of a grant that its own end makes', () => tell(`
    A/2 lock EX                 -> A/2 OK EX
    B/2 lock EX                 -> B/2 waits, A/2 blocks EX
    owner 2 ends                -> nothing
                                -> nothing
  `));

  test('leaves a value invalid if it held PW or EX, be it by a grant its own end made', () => tell(`
    K lock NL                   -> K OK NL
    K convert EX                -> K OK EX
    K convert NL VALBLK "v"     -> K OK NL
    A/2 lock CR                 -> A/2 OK CR
    B/2 lock EX                 -> B/2 waits, A/2 blocks EX
    owner 2 ends                -> nothing
                                -> G[K:NL] value "v" invalid
  `));

  test('touches nobody else\'s locks, in no resource', () => tell(`
    A/2 lock EX on S            -> A/2 OK EX
    B/2 lock CR                 -> B/2 OK CR
    C/3 lock CR                 -> C/3 OK CR
    owner 2 ends                -> nothing
                                -> G[C/3:CR]
    D lock EX on S              -> D OK EX
    owner 2 ends                -> nothing
    owner 9 ends                -> nothing
  `));

  test('may come back: the same owner is a new one', () => tell(`
    A/2 lock EX                 -> A/2 OK EX
    owner 2 ends                -> nothing
    B/2 lock EX                 -> B/2 OK EX
    owner 2 ends                -> nothing
                                -> nothing
  `));

  test('ends its locks in the order they were asked for', () => tell(`
    A lock EX                   -> A OK EX
    B/2 lock EX                 -> B/2 waits, A blocks EX
    C/2 lock EX                 -> C/2 waits
    D lock EX                   -> D waits
    A unlock                    -> A EUNLOCK, B/2 OK EX, B/2 blocks EX
    owner 2 ends                -> D OK EX
                                -> G[D:EX] value none invalid
  `));
});

describe('a purge of an owner that lives on', () => {
  test('ends all its locks, persistent ones too, and it hears nothing of it', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock PR                   -> B waits, A/2 blocks PR
    owner 2 purged              -> B OK PR
    C lock EX ORPHAN            -> refused ENOENT
    D/2 lock PR                 -> D/2 OK PR
  `));
});
