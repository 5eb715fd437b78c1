/**
 * Persistent locks outlive their owner: what becomes of them, who may adopt them,
 * and how they are purged.
 */
import { describe, test } from 'node:test';
import { defaultLaw, kernelLaw } from '../../src/core/lock/law.js';
import { tell } from '../lock/story.js';

describe('an orphan', () => {
  test('keeps its mode and blocks others', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock PR                   -> B waits, A/2 blocks PR
    owner 2 ends                -> nothing
                                -> G[A/2:EX] W[B>PR]
  `));

  test('leaves the value valid, for nobody has lost a write yet', () => tell(`
    A/2 lock EX PERSISTENT VALBLK -> A/2 OK EX
    A/2 convert EX PERSISTENT VALBLK "v" -> A/2 OK EX
    owner 2 ends                -> nothing
                                -> G[A/2:EX] value "v"
  `));

  test('that was converting falls back to what it held', () => tell(`
    A lock PR                   -> A OK PR
    B/2 lock PR PERSISTENT      -> B/2 OK PR
    B/2 convert EX PERSISTENT   -> B/2 waits, A blocks EX
    C lock PR                   -> C waits
    owner 2 ends                -> C OK PR
                                -> G[A:PR B/2:PR C:PR]
  `));

  test('stays what it is when it is converted by its id', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock PR                   -> B waits, A/2 blocks PR
    owner 2 ends                -> nothing
    A/2 convert NL              -> A/2 OK NL, B OK PR
    C lock NL ORPHAN            -> C adopted NL
  `));

  test('is not told whom it blocks', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    B lock PR                   -> B waits
  `));

  test('can be converted and unlocked by its id, and whoever does so hears how it ends', () => tell(`
    A/2 lock PR PERSISTENT      -> A/2 OK PR
    B lock PR                   -> B OK PR
    owner 2 ends                -> nothing
    A/2 convert EX              -> A/2 waits, B blocks EX
    B unlock                    -> B EUNLOCK, A/2 OK EX
    A/2 unlock                  -> A/2 EUNLOCK
  `));
});

describe('an adoption', () => {
  test('hands over the lock with its id, and no callback follows', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    B lock EX ORPHAN            -> B adopted EX
    B convert NL                -> B OK NL
    A/2 unlock                  -> B EUNLOCK
  `));

  test('needs the name and the mode', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock EX ORPHAN            -> refused ENOENT
    owner 2 ends                -> nothing
    B lock EX ORPHAN on S       -> refused ENOENT
    B lock PR ORPHAN            -> refused EAGAIN
    B lock EX ORPHAN NOQUEUE    -> B adopted EX
    C lock EX ORPHAN            -> refused ENOENT
  `));

  test('takes the oldest orphan first', () => tell(`
    A/2 lock PR PERSISTENT      -> A/2 OK PR
    B/3 lock PR PERSISTENT      -> B/3 OK PR
    owner 3 ends                -> nothing
    owner 2 ends                -> nothing
    C lock PR ORPHAN            -> C adopted PR
                                -> G[A/2:PR C:PR]
    B/3 unlock                  -> C EUNLOCK
  `));

  test('by the kernel\'s law is not told of those who wait already, only of new ones', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock PR                   -> B waits, A/2 blocks PR
    owner 2 ends                -> nothing
    C/3 lock EX ORPHAN          -> C/3 adopted EX
    D lock CR                   -> D waits
    E lock EX                   -> E waits, C/3 blocks EX
  `, kernelLaw));

  test('by ours is told of them, and of new ones only if they want more', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock PR                   -> B waits, A/2 blocks PR
    owner 2 ends                -> nothing
    C/3 lock EX ORPHAN          -> C/3 adopted EX, C/3 blocks PR
    D lock CR                   -> D waits
    E lock EX                   -> E waits, C/3 blocks EX
  `, defaultLaw));

  test('fetches no value', () => tell(`
    N lock NL                   -> N OK NL
    A/2 lock EX PERSISTENT VALBLK -> A/2 OK EX
    A/2 convert EX PERSISTENT VALBLK "v" -> A/2 OK EX
    owner 2 ends                -> nothing
    B lock EX ORPHAN VALBLK     -> B adopted EX
    B convert PR VALBLK "w"     -> B OK PR
    N convert PR VALBLK         -> N OK PR "w"
  `));

  test('makes the adopter the one whose end counts', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    B/3 lock EX ORPHAN PERSISTENT -> B/3 adopted EX
    orphans purged              -> nothing
    owner 3 ends                -> nothing
    C lock EX ORPHAN            -> C adopted EX
  `));
});

describe('a persistent request that still waits when its owner ends', () => {
  test('leaves the queue', () => tell(`
    A lock PR                   -> A OK PR
    B/2 lock EX PERSISTENT      -> B/2 waits, A blocks EX
    C lock PR                   -> C waits
    owner 2 ends                -> C OK PR
                                -> G[A:PR C:PR]
  `));

  test('is gone for good, by our law', () => tell(`
    A lock PR                   -> A OK PR
    B/2 lock EX PERSISTENT      -> B/2 waits, A blocks EX
    owner 2 ends                -> nothing
    A unlock                    -> A EUNLOCK
                                -> nothing
    B/2 unlock                  -> refused ENOENT
    orphans purged              -> nothing
  `, defaultLaw));
});

describe('a purge of orphans', () => {
  test('ends all of them, or those of one former owner, and lets others in', () => tell(`
    A/2 lock PR PERSISTENT      -> A/2 OK PR
    B/3 lock PR PERSISTENT      -> B/3 OK PR
    C lock EX                   -> C waits, A/2 blocks EX, B/3 blocks EX
    owner 2 ends                -> nothing
    owner 3 ends                -> nothing
    orphans of 2 purged         -> A/2 EUNLOCK
                                -> G[B/3:PR] W[C>EX]
    orphans purged              -> B/3 EUNLOCK, C OK EX
  `));

  test('spares persistent locks of the living', () => tell(`
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    orphans purged              -> nothing
    orphans of 2 purged         -> nothing
                                -> G[A/2:EX]
  `));

  test('leaves the value of a writer invalid', () => tell(`
    N lock NL                   -> N OK NL
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    orphans purged              -> A/2 EUNLOCK
                                -> G[N:NL] value none invalid
  `));
});
