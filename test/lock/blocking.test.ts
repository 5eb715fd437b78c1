/**
 * Who is told that they block somebody, of which mode, and how often.
 */
import { describe, test } from 'node:test';
import { tell } from './story.js';

describe('when a request is queued', () => {
  test('every holder in its way is told, and nobody else', () => tell(`
    A lock PR                   -> A OK PR
    B lock CR                   -> B OK CR
    C lock NL                   -> C OK NL
    D lock PW                   -> D waits, A blocks PW
  `));

  test('one behind a waiter that the holder would let in tells nobody', () => tell(`
    A lock PR                   -> A OK PR
    B lock EX                   -> B waits, A blocks EX
    C lock CR                   -> C waits
  `));

  test('converting locks hear nothing, except of NOQUEUE with NOQUEUEBAST', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    C lock PW NOQUEUE           -> C EAGAIN
    C lock PW NOQUEUE NOQUEUEBAST -> C EAGAIN, A blocks PW
    D lock EX                   -> D waits
  `));

  test('NOQUEUEBAST alone means nothing', () => tell(`
    A lock EX                   -> A OK EX
    B lock PR NOQUEUEBAST       -> B waits, A blocks PR
  `));
});

describe('a holder hears again', () => {
  test('of a higher mode, and not of the same or a lower one', () => tell(`
    A lock EX                   -> A OK EX
    B lock PR                   -> B waits, A blocks PR
    C lock CR                   -> C waits
    D lock PR                   -> D waits
    E lock EX                   -> E waits, A blocks EX
  `));

  test('not of CW after PR if it holds EX', () => tell(`
    A lock EX                   -> A OK EX
    B lock PR                   -> B waits, A blocks PR
    C lock CW                   -> C waits
  `));

  test('every time while it holds PR and CW is asked for, until it has heard of EX', () => tell(`
    A lock PR                   -> A OK PR
    B lock CW                   -> B waits, A blocks CW
    C lock CW                   -> C waits, A blocks CW
    D lock EX                   -> D waits, A blocks EX
    E lock CW                   -> E waits
  `));

  test('every time while it holds CW and PR is asked for, and what it remembers can sink', () => tell(`
    A lock CW                   -> A OK CW
    B lock PW                   -> B waits, A blocks PW
    C lock PR                   -> C waits, A blocks PR
    D lock PW                   -> D waits, A blocks PW
  `));

  test('after its own conversion', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    A convert PW                -> A OK PW, A blocks EX
    A convert PW                -> A OK PW, A blocks EX
  `));

  test('not because the waiter went away and another came', () => tell(`
    A lock EX                   -> A OK EX
    B lock PR                   -> B waits, A blocks PR
    B cancel                    -> B ECANCEL
    C lock PR                   -> C waits
  `));

  test('not because its own conversion was refused or cancelled', () => tell(`
    A lock PR                   -> A OK PR
    K lock PR                   -> K OK PR
    B lock PW                   -> B waits, A blocks PW, K blocks PW
    A convert PW NOQUEUE        -> A EAGAIN PR
    A convert PW                -> A waits
    A cancel                    -> A ECANCEL PR
    C lock PW                   -> C waits
  `));
});

describe('after a pass', () => {
  test('the holders hear of the highest mode in both queues', () => tell(`
    A lock EX                   -> A OK EX
    B lock CR                   -> B waits, A blocks CR
    C lock PW                   -> C waits, A blocks PW
    D lock PR                   -> D waits
    A convert PW                -> A OK PW, B OK CR, A blocks PW
  `));

  test('of nothing if that one is compatible, whatever else is blocked', () => tell(`
    K lock CW                   -> K OK CW
    A lock CR                   -> A OK CR
    B lock PR                   -> B waits, K blocks PR
    C lock CR                   -> C waits
    A convert CR                -> A OK CR
  `));

  test('a PR holder hears of a blocked CW, under any higher mode that is blocked', () => tell(`
    A lock EX                   -> A OK EX
    B lock PR                   -> B waits, A blocks PR
    C lock CW                   -> C waits
    D lock PR                   -> D waits
    A unlock                    -> A EUNLOCK, B OK PR, B blocks CW
    E lock PW                   -> E waits, B blocks PW
    F lock NL                   -> F waits
    F cancel                    -> F ECANCEL, B blocks PW
  `));

  test('a demotion that does not help is answered with another callback', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    A convert PR                -> A OK PR, A blocks EX
    A convert CR                -> A OK CR, A blocks EX
    A convert NL                -> A OK NL, B OK EX
  `));

  test('those just granted hear of who still waits, right after their grant', () => tell(`
    A lock EX                   -> A OK EX
    B lock PR                   -> B waits, A blocks PR
    C lock EX                   -> C waits, A blocks EX
    A unlock                    -> A EUNLOCK, B OK PR, B blocks EX
  `));

  test('also the pass that a cancel starts', () => tell(`
    A lock PR                   -> A OK PR
    B lock CW                   -> B waits, A blocks CW
    C lock PW                   -> C waits, A blocks PW
    B cancel                    -> B ECANCEL
    C cancel                    -> C ECANCEL
  `));
});

describe('a holder for whom nobody listens', () => {
  test('is told nothing, neither of who comes nor after a pass; the others are', () => tell(`
    A lock PR deaf              -> A OK PR
    B lock PR                   -> B OK PR
    C lock EX                   -> C waits, B blocks EX
    B unlock                    -> B EUNLOCK
    A unlock                    -> A EUNLOCK, C OK EX
    D lock EX deaf              -> D waits, C blocks EX
    E lock EX                   -> E waits
    C unlock                    -> C EUNLOCK, D OK EX
    F lock EX NOQUEUE NOQUEUEBAST -> F EAGAIN
    D unlock                    -> D EUNLOCK, E OK EX
  `));

  test('stays so when it is converted', () => tell(`
    A lock NL deaf              -> A OK NL
    A convert EX                -> A OK EX
    B lock PR                   -> B waits
    A convert CR                -> A OK CR, B OK PR
    C lock EX                   -> C waits, B blocks EX
  `));

  test('nor that its own conversion is stuck', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR deaf              -> B OK PR
    C lock NL                   -> C OK NL
    A convert EX                -> A waits
    B convert EX NODLCKWT       -> B waits
    C unlock                    -> C EUNLOCK
  `));

  test('is told all the same when it may outlive its owner: whoever adopts it may listen', () => tell(`
    A lock EX PERSISTENT deaf   -> A OK EX
    B lock PR                   -> B waits, A blocks PR
  `));
});
