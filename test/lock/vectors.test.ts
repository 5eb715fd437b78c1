/**
 * The law in examples: the small cases that each decide one question about
 * granting, waiting, telling and values, numbered as in the specification they
 * were taken from.
 */
import { test } from 'node:test';
import { kernelLaw } from '../../src/core/lock/law.js';
import { tell } from './story.js';

test('1: a request behind a waiter waits its turn, and nobody is told of it', () => tell(`
  A lock PR                   -> A OK PR
  B lock EX                   -> B waits, A blocks EX
  C lock PR                   -> C waits
                              -> G[A:PR] W[B>EX C>PR]
  A unlock                    -> A EUNLOCK, B OK EX, B blocks PR
  B unlock                    -> B EUNLOCK, C OK PR
`));

test('2: NOORDER passes the waiter it is compatible with the holder of', () => tell(`
  A lock PR                   -> A OK PR
  B lock EX                   -> B waits, A blocks EX
  C lock PR NOORDER           -> C OK PR
                              -> G[A:PR C:PR] W[B>EX]
`, kernelLaw));

test('2b: NOORDER is granted from the middle of a queue, and its holder hears of who still waits', () => tell(`
  A lock EX                   -> A OK EX
  B lock EX                   -> B waits, A blocks EX
  C lock PR NOORDER           -> C waits
  D lock PR NOORDER           -> D waits
  A convert PR                -> A OK PR, C OK PR, D OK PR, A blocks EX, C blocks EX, D blocks EX
`));

test('3: even NL waits behind a queue, unless it is expedited', () => tell(`
  A lock EX                   -> A OK EX
  B lock EX                   -> B waits, A blocks EX
  C lock NL                   -> C waits
  D lock NL EXPEDITE          -> D OK NL
                              -> G[A:EX D:NL] W[B>EX C>NL]
`));

test('4: HEADQUE goes to the head', () => tell(`
  A lock EX                   -> A OK EX
  B lock EX                   -> B waits, A blocks EX
  C lock PR HEADQUE           -> C waits
  A unlock                    -> A EUNLOCK, C OK PR, C blocks EX
                              -> G[C:PR] W[B>EX]
`));

test('5: of two conversions that would wait for each other, the later one is refused', () => tell(`
  A lock PR                   -> A OK PR
  B lock PR                   -> B OK PR
  A convert EX                -> A waits, B blocks EX
  B convert EX                -> B EDEADLK PR
                              -> G[B:PR] C[A:PR>EX]
`));

test('6: CONVDEADLK gives up its granted mode, lets the other pass, and waits', () => tell(`
  A lock PR                   -> A OK PR
  B lock PR                   -> B OK PR
  A convert EX                -> A waits, B blocks EX
  B convert EX CONVDEADLK     -> A OK EX, B waits, A blocks EX
                              -> G[A:EX] C[B:NL>EX]
  A unlock                    -> A EUNLOCK, B OK EX +DEMOTED
`));

test('7: NODLCKWT waits in the deadlock, until somebody resolves it', () => tell(`
  A lock PR                   -> A OK PR
  B lock PR                   -> B OK PR
  A convert EX                -> A waits, B blocks EX
  B convert EX NODLCKWT       -> B waits
                              -> C[A:PR>EX B:PR>EX]
  A cancel                    -> A ECANCEL PR, A blocks EX
`));

test('8: a conversion that fits is granted at once, whoever waits', () => tell(`
  D lock PR                   -> D OK PR
  B lock NL                   -> B OK NL
  C lock NL                   -> C OK NL
  B convert EX                -> B waits, D blocks EX
  C convert PR                -> C OK PR, C blocks EX
                              -> G[D:PR C:PR] C[B:NL>EX]
`));

test('8b: unless it asked to be queued', () => tell(`
  D lock PR                   -> D OK PR
  B lock NL                   -> B OK NL
  C lock NL                   -> C OK NL
  B convert EX                -> B waits, D blocks EX
  C convert PR QUECVT         -> C waits
                              -> G[D:PR] C[B:NL>EX C:NL>PR]
`));

test('9: NOQUEUE is refused rather than queued, and tells the holder only with NOQUEUEBAST', () => tell(`
  A lock PR                   -> A OK PR
  B lock EX NOQUEUE           -> B EAGAIN
  B lock EX NOQUEUE NOQUEUEBAST -> B EAGAIN, A blocks EX
                              -> G[A:PR]
`));

test('10: ALTPR takes PR where EX cannot be had', () => tell(`
  A lock PR                   -> A OK PR
  B lock EX ALTPR             -> B OK PR +ALTMODE
`));

test('10b: ALTCW takes CW where PR cannot be had, also with NOQUEUE', () => tell(`
  A lock CW                   -> A OK CW
  B lock PR ALTCW NOQUEUE     -> B OK CW +ALTMODE
`));

test('11: PR to CW and PR to CW deadlock like any two', () => tell(`
  A lock PR                   -> A OK PR
  B lock PR                   -> B OK PR
  A convert CW                -> A waits, B blocks CW
  B convert CW                -> B EDEADLK PR
`));

test('12: a holder is told once, and again only of a higher mode', () => tell(`
  A lock EX                   -> A OK EX
  B lock PR                   -> B waits, A blocks PR
  C lock PR                   -> C waits
  D lock EX                   -> D waits, A blocks EX
  A convert PR                -> A OK PR, B OK PR, C OK PR, A blocks EX, B blocks EX, C blocks EX
`));

test('13: a waiter behind a CW it conflicts with tells nobody', () => tell(`
  A lock PR                   -> A OK PR
  B lock CW                   -> B waits, A blocks CW
  C lock PR                   -> C waits
`));

test('14: a value is written on the way down and read by the next', () => tell(`
  K lock NL                   -> K OK NL
  A lock EX VALBLK            -> A OK EX
  A convert NL VALBLK "v1"    -> A OK NL
  B lock PR VALBLK            -> B OK PR "v1"
  # 14b: below PW an unlock writes nothing
  B unlock VALBLK "zz"        -> B EUNLOCK
                              -> G[K:NL A:NL] value "v1"
  # 14c: IVVALBLK leaves the bytes and takes their word
  B lock PW VALBLK            -> B OK PW "v1"
  B unlock IVVALBLK           -> B EUNLOCK
  D lock PR VALBLK            -> D OK PR +VALNOTVALID "v1"
  D unlock                    -> D EUNLOCK
  # 14d: the next write makes it valid again
  F lock PW VALBLK            -> F OK PW +VALNOTVALID "v1"
  F convert NL VALBLK "v2"    -> F OK NL
  G lock PR VALBLK            -> G OK PR "v2"
`));

test('14e: the value goes with the last lock', () => tell(`
  A lock EX VALBLK            -> A OK EX
  A unlock VALBLK "v1"        -> A EUNLOCK
  B lock PR VALBLK            -> B OK PR
                              -> G[B:PR]
`));

test('15: a stuck conversion stops new requests, compatible or not', () => tell(`
  A lock PR                   -> A OK PR
  B lock PR                   -> B OK PR
  A convert PW                -> A waits, B blocks PW
  C lock CR                   -> C waits
  A cancel                    -> A ECANCEL PR, C OK CR
`));

test('16: waiters are granted from the head, up to the first that cannot be', () => tell(`
  A lock EX                   -> A OK EX
  B lock PR                   -> B waits, A blocks PR
  C lock PR                   -> C waits
  D lock CW                   -> D waits
  E lock PR                   -> E waits
  A unlock                    -> A EUNLOCK, B OK PR, C OK PR, B blocks CW, C blocks CW
                              -> G[B:PR C:PR] W[D>CW E>PR]
`));

test('17: a conversion down lets a waiter in', () => tell(`
  A lock PW                   -> A OK PW
  B lock CR                   -> B OK CR
  C lock PR                   -> C waits, A blocks PR
  A convert PR                -> A OK PR, C OK PR
`));

test('18: a conversion to the same mode completes', () => tell(`
  A lock PR VALBLK            -> A OK PR
  A convert PR                -> A OK PR
`));

test('19: a waiter can be cancelled, a granted lock has nothing to cancel', () => tell(`
  A lock EX                   -> A OK EX
  B lock EX                   -> B waits, A blocks EX
  B cancel                    -> B ECANCEL
  A cancel                    -> nothing
                              -> G[A:EX]
`));

test('20: a conversion is in deadlock if its granted mode blocks one ahead of it', () => tell(`
  A lock CR                   -> A OK CR
  B lock CR                   -> B OK CR
  X lock PW                   -> X OK PW
  A convert EX                -> A waits, B blocks EX, X blocks EX
  B convert PW                -> B EDEADLK CR
`));
