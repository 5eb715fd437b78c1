/**
 * Conversions that wait for each other: who is refused, who gives way, and what
 * the flags that have a say in it do.
 */
import { describe, test } from 'node:test';
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
  test('is the victim of those it goes before only if each blocks the other', () => tell(`
    A lock PR                   -> A OK PR
    B lock NL                   -> B OK NL
    C lock CR                   -> C OK CR
    B convert EX                -> B waits, A blocks EX, C blocks EX
    C convert CW HEADQUE        -> C EDEADLK CR
  `));

  test('counts as the last one when it arrives', () => tell(`${twoSharing}
    B convert EX HEADQUE        -> B EDEADLK PR
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
});
