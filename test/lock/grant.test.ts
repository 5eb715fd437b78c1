/**
 * Who is granted, and in which order: new requests, conversions, and the flags
 * that change the order.
 */
import { describe, test } from 'node:test';
import { kernelLaw } from '../../src/core/lock/law.js';
import { tell } from './story.js';

describe('a new request', () => {
  test('queues behind waiters and behind converters, also for NL', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    B convert EX                -> B waits, A blocks EX
    C lock NL                   -> C waits
    D lock NL NOQUEUE           -> D EAGAIN
                                -> G[A:PR] C[B:PR>EX] W[C>NL]
  `));

  test('for NL is granted at once beside EX if nobody queues', () => tell(`
    A lock EX                   -> A OK EX
    B lock NL                   -> B OK NL
  `));

  test('is blocked by what a converter holds, too', () => tell(`
    A lock PW                   -> A OK PW
    K lock CR                   -> K OK CR
    A convert EX                -> A waits, K blocks EX
    B lock PR NOORDER           -> B waits
    K unlock                    -> K EUNLOCK, A OK EX, A blocks PR
                                -> G[A:EX] W[B>PR]
  `));

  test('with EXPEDITE is granted whoever waits', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    C lock NL EXPEDITE HEADQUE  -> C OK NL
  `));

  test('with NOORDER that passes waiters is told of them on the next pass only, by the kernel\'s law', () => tell(`
    A lock PR                   -> A OK PR
    B lock EX                   -> B waits, A blocks EX
    C lock PR NOORDER           -> C OK PR
    A convert PR                -> A OK PR, A blocks EX, C blocks EX
  `, kernelLaw));

  test('with HEADQUE goes before earlier ones with HEADQUE', () => tell(`
    A lock EX                   -> A OK EX
    B lock CR                   -> B waits, A blocks CR
    C lock PR HEADQUE           -> C waits, A blocks PR
    D lock PW HEADQUE           -> D waits, A blocks PW
                                -> G[A:EX] W[D>PW C>PR B>CR]
  `));
});

describe('a conversion', () => {
  test('that fits overtakes converters and waiters, up or down, and can starve them', () => tell(`
    A lock CR                   -> A OK CR
    B lock CR                   -> B OK CR
    C lock NL                   -> C OK NL
    B convert EX                -> B waits, A blocks EX
    D lock EX                   -> D waits
    A convert PW                -> A OK PW, A blocks EX
    A convert CR                -> A OK CR, A blocks EX
    C convert CW                -> C OK CW, C blocks EX
                                -> G[A:CR C:CW] C[B:CR>EX] W[D>EX]
  `));

  test('with QUECVT is granted at once only if nobody converts', () => tell(`
    A lock PR                   -> A OK PR
    B lock NL                   -> B OK NL
    C lock NL                   -> C OK NL
    B convert CR QUECVT         -> B OK CR
    C convert EX QUECVT         -> C waits, A blocks EX, B blocks EX
    B convert PR QUECVT         -> B EDEADLK CR
                                -> G[A:PR B:CR] C[C:NL>EX]
  `));

  test('with QUECVT is not helped by NOORDER when it arrives, but is afterwards', () => tell(`
    A lock PR                   -> A OK PR
    B lock NL                   -> B OK NL
    C lock NL                   -> C OK NL
    B convert EX                -> B waits, A blocks EX
    C convert PR QUECVT NOORDER -> C waits
    A convert PR                -> A OK PR, C OK PR, A blocks EX, C blocks EX
  `));

});

describe('a conversion that waits', () => {
  test('is granted as the first of its queue', () => tell(`
    A lock CW                   -> A OK CW
    K lock CR                   -> K OK CR
    B lock NL                   -> B OK NL
    C lock NL                   -> C OK NL
    B convert EX                -> B waits, A blocks EX, K blocks EX
    C convert PR                -> C waits
    A unlock                    -> A EUNLOCK
                                -> G[K:CR] C[B:NL>EX C:NL>PR]
    B cancel                    -> B ECANCEL NL, C OK PR
  `));

  test('with NOORDER is granted from the middle of its queue', () => tell(`
    A lock CW                   -> A OK CW
    K lock CR                   -> K OK CR
    B lock NL                   -> B OK NL
    C lock NL                   -> C OK NL
    B convert EX                -> B waits, A blocks EX, K blocks EX
    C convert PR NOORDER        -> C waits
    A unlock                    -> A EUNLOCK, C OK PR, C blocks EX
                                -> G[K:CR C:PR] C[B:NL>EX]
  `));

  test('with HEADQUE is served first', () => tell(`
    A lock EX                   -> A OK EX
    B lock NL                   -> B OK NL
    C lock NL                   -> C OK NL
    B convert PR                -> B waits, A blocks PR
    C convert CW HEADQUE        -> C waits
                                -> G[A:EX] C[C:NL>CW B:NL>PR]
    A unlock                    -> A EUNLOCK, C OK CW, C blocks PR
  `));

  test('is served before any waiter', () => tell(`
    A lock EX                   -> A OK EX
    B lock NL                   -> B OK NL
    W lock PR                   -> W waits, A blocks PR
    B convert CW                -> B waits
    A unlock                    -> A EUNLOCK, B OK CW, B blocks PR
                                -> G[B:CW] W[W>PR]
  `));

  test('to the same mode is granted and starts a pass', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    A convert EX                -> A OK EX, A blocks EX
  `));
});

describe('PR and CW', () => {
  test('block one another in the order of the queue', () => tell(`
    A lock EX                   -> A OK EX
    B lock CW                   -> B waits, A blocks CW
    C lock CW                   -> C waits
    D lock PR                   -> D waits, A blocks PR
    E lock CW                   -> E waits
    A unlock                    -> A EUNLOCK, B OK CW, C OK CW, B blocks PR, C blocks PR
                                -> G[B:CW C:CW] W[D>PR E>CW]
  `));

  test('of one lock are not in each other\'s way', () => tell(`
    A lock PR                   -> A OK PR
    A convert CW                -> A OK CW
    A convert PR                -> A OK PR
  `));
});

describe('an alternative mode', () => {
  test('is tried again whenever the lock is looked at', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX ALTPR             -> B waits, A blocks EX
    A convert CR                -> A OK CR, B OK PR +ALTMODE
  `));

  test('may be a higher one', () => tell(`
    A lock PR                   -> A OK PR
    B lock CW ALTPR             -> B OK PR +ALTMODE
  `));

  test('is PR alone if both are allowed', () => tell(`
    A lock CW                   -> A OK CW
    B lock EX ALTPR ALTCW       -> B waits, A blocks EX
    C lock PR ALTPR ALTCW NOQUEUE -> C EAGAIN
  `));

  test('is not tried behind a waiter, since the queue would be in its way as well', () => tell(`
    A lock PR                   -> A OK PR
    B lock EX                   -> B waits, A blocks EX
    C lock EX ALTPR             -> C waits
  `));

  test('serves a conversion as well, and NOQUEUE', () => tell(`
    A lock CW                   -> A OK CW
    B lock NL                   -> B OK NL
    B convert EX ALTCW NOQUEUE  -> B OK CW +ALTMODE
    B convert NL                -> B OK NL
    B convert PR ALTPR NOQUEUE  -> B EAGAIN NL
  `));

  test('is forgotten with the next call', () => tell(`
    A lock PR                   -> A OK PR
    B lock EX ALTPR             -> B OK PR +ALTMODE
    B convert PR                -> B OK PR
  `));
});
