/**
 * Conversions that wait for each other: who is refused, who gives way, and what
 * the flags that have a say in it do.
 */
import { describe, test } from 'node:test';
import { kernelLaw } from '../../src/core/lock/law.js';
import { tell } from './story.js';

/** Two locks in PR, the first of which waits for EX. */
const twoSharing = `
  A lock PR                   -> A OK PR
  B lock PR                   -> B OK PR
  A convert EX                -> A waits, B blocks EX
`;

describe('the later of two conversions', () => {
  test('is refused and keeps its mode; the earlier one goes on waiting', () => tell(`${twoSharing}
    B convert EX                -> B EDEADLK PR
    B convert EX                -> B EDEADLK PR
    B unlock                    -> B EUNLOCK, A OK EX
  `));

  test('is refused even if the earlier one is not in its way, for it would wait behind it', () => tell(`
    A lock CR                   -> A OK CR
    B lock CR                   -> B OK CR
    K lock PW                   -> K OK PW
    A convert EX                -> A waits, B blocks EX, K blocks EX
    B convert CW                -> B EDEADLK CR
  `));

  test('is not refused if its granted mode blocks nobody ahead of it', () => tell(`
    A lock CR                   -> A OK CR
    B lock CR                   -> B OK CR
    A convert PR                -> A OK PR
    K lock CR                   -> K OK CR
    A convert PW                -> A OK PW
    B convert PW                -> B waits, A blocks PW
  `));

  test('is refused at once with NOQUEUE, and no deadlock is looked for', () => tell(`${twoSharing}
    B convert EX NOQUEUE        -> B EAGAIN PR
    B convert EX NOQUEUE NOQUEUEBAST -> B EAGAIN PR, A blocks EX
  `));

  test('is not given its alternative mode out of a deadlock', () => tell(`
    A lock PR                   -> A OK PR
    B lock CR                   -> B OK CR
    A convert EX                -> A waits, B blocks EX
    B convert PW ALTCW          -> B EDEADLK CR
  `));

  test('is told by NODLCKBLK nothing else', () => tell(`${twoSharing}
    B convert EX NODLCKBLK      -> B EDEADLK PR
  `));
});

describe('one that joins at the head', () => {
  test('counts as the last one when it arrives, so that all others are ahead of it', () => tell(`
    A lock PR                   -> A OK PR
    B lock NL                   -> B OK NL
    C lock CR                   -> C OK CR
    B convert EX                -> B waits, A blocks EX, C blocks EX
    C convert CW HEADQUE        -> C EDEADLK CR
  `));

  test('is not in deadlock with one behind it that it does not wait for', () => tell(`
    K lock PR                   -> K OK PR
    A lock CR                   -> A OK CR
    B lock NL                   -> B OK NL
    B convert CW                -> B waits, K blocks CW
    A convert PW HEADQUE        -> A waits, K blocks PW
                                -> G[K:PR] C[A:CR>PW B:NL>CW]
    B cancel                    -> B ECANCEL NL
    B convert EX NODLCKWT       -> B waits, K blocks EX
    # A blocks B and not the other way round: once K is gone, A is granted
    K unlock                    -> K EUNLOCK, A OK PW, A blocks EX
  `));
});

describe('NODLCKWT', () => {
  test('lets the later one wait as well', () => tell(`${twoSharing}
    B convert EX NODLCKWT       -> B waits
                                -> C[A:PR>EX B:PR>EX]
    B cancel                    -> B ECANCEL PR
  `));

  test('on the earlier one does not save the later', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX NODLCKWT       -> A waits, B blocks EX
    B convert EX                -> B EDEADLK PR
  `));

  test('lets the one who waits in a deadlock hear on the next pass, once, that it is stuck', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert PW                -> A waits, B blocks PW
    K lock NL                   -> K waits
    L lock NL                   -> L waits
    B convert EX NODLCKWT       -> B waits
    K cancel                    -> K ECANCEL, B blocks EX
    L cancel                    -> L ECANCEL
  `));
});

describe('CONVDEADLK', () => {
  test('demotes each later one to NL as it arrives', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    C lock PR                   -> C OK PR
    A convert EX CONVDEADLK     -> A waits, B blocks EX, C blocks EX
    B convert EX CONVDEADLK     -> B waits
                                -> G[C:PR] C[A:PR>EX B:NL>EX]
    C convert EX CONVDEADLK     -> A OK EX, C waits, A blocks EX
                                -> G[A:EX] C[B:NL>EX C:NL>EX]
  `));

  test('is needed on the later one only', () => tell(`${twoSharing}
    B convert EX CONVDEADLK     -> A OK EX, B waits, A blocks EX
  `));

  test('lets those already queued go first, and the demoted one at once if it then fits', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert CW                -> A waits, B blocks CW
    B convert CW CONVDEADLK     -> A OK CW, B OK CW +DEMOTED
                                -> G[A:CW B:CW]
  `));

  test('reports DEMOTED with the grant and not with a cancel, and the lock is left in NL', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX CONVDEADLK     -> A waits, B blocks EX
    B convert EX CONVDEADLK     -> A OK EX, B waits, A blocks EX
    B cancel                    -> B ECANCEL NL
                                -> G[A:EX B:NL]
  `));

  test('queues the demoted one even with HEADQUE after the look at the others', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    B convert EX CONVDEADLK HEADQUE -> A OK EX, B waits, A blocks EX
  `));

  test('demotes on the next pass one that a conversion at the head got into a deadlock, by the kernel\'s law', () => tell(`
    K lock CW                   -> K OK CW
    A lock NL                   -> A OK NL
    B lock CR                   -> B OK CR
    B convert PR CONVDEADLK     -> B waits, K blocks PR
    A convert EX HEADQUE        -> A waits, K blocks EX
                                -> G[K:CW] C[A:NL>EX B:CR>PR]
    # A is blocked at first and then granted: what is left to tell A of is PR
    K unlock                    -> K EUNLOCK, A OK EX, A blocks PR
                                -> G[A:EX] C[B:NL>PR]
    A unlock                    -> A EUNLOCK, B OK PR +DEMOTED
  `, kernelLaw));
});
