/**
 * Each choice of ours, told under the kernel's law and under the same law with
 * that one switch turned on.
 */
import { describe, test } from 'node:test';
import { kernelLaw, type Law } from '../../src/core/lock/law.js';
import { tell } from './story.js';

/** One story, with `kernel|ours` wherever the switch makes the difference. */
function tellBoth(name: keyof Law, text: string): void {
  const version = (side: number): string =>
    text.split('\n').map((line) => line.split('->').map((part) => {
      const sides = part.split('|');
      return sides.length === 1 ? part : sides[side]!;
    }).join('->')).join('\n');
  tell(version(0), kernelLaw);
  tell(version(1), { ...kernelLaw, [name]: true });
}

describe('persistentStays', () => {
  test('a conversion that does not repeat PERSISTENT ends it, or does not', () => tellBoth('persistentStays', `
    K lock NL                   -> K OK NL
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    A/2 convert PR              -> A/2 OK PR
    owner 2 ends                -> nothing
                                -> G[K:NL] | G[K:NL A/2:PR]
    B lock PR ORPHAN            -> refused ENOENT | B adopted PR
  `));

  test('nor does an adoption', () => tellBoth('persistentStays', `
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    B/3 lock EX ORPHAN          -> B/3 adopted EX
    owner 3 ends                -> nothing
    C lock EX ORPHAN            -> refused ENOENT | C adopted EX
  `));

  test('a refused conversion ends nothing under either law', () => tellBoth('persistentStays', `
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    A/2 convert NL QUECVT       -> refused EINVAL quecvt-goes-up
    owner 2 ends                -> nothing
    B lock EX ORPHAN            -> B adopted EX
  `));
});

describe('waitingOrphanEnds', () => {
  test('a persistent request that still waited is a ghost, or nothing', () => tellBoth('waitingOrphanEnds', `
    A lock EX                   -> A OK EX
    B/2 lock PR PERSISTENT      -> B/2 waits, A blocks PR
    owner 2 ends                -> nothing
                                -> G[A:EX]
    C lock PR ORPHAN            -> refused EAGAIN | refused ENOENT
    B/2 convert NL              -> refused EBUSY | refused ENOENT
  `));

  test('the ghost keeps the resource, and so the value, from being forgotten', () => tellBoth('waitingOrphanEnds', `
    A lock EX VALBLK            -> A OK EX
    B/2 lock PR PERSISTENT      -> B/2 waits, A blocks PR
    owner 2 ends                -> nothing
    A unlock VALBLK "v"         -> A EUNLOCK
    C lock PR VALBLK            -> C OK PR "v" | C OK PR
  `));
});

describe('cancelAgainIsQuiet', () => {
  test('a second cancel is refused until the next conversion, or is quiet', () => tellBoth('cancelAgainIsQuiet', `
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    A cancel                    -> A ECANCEL PR
    A cancel                    -> refused EINVAL cancel-once | nothing
    A deadlock                  -> refused EINVAL cancel-once | nothing
    A convert PR                -> A OK PR
    A cancel                    -> nothing
  `));
});

describe('deadlockedIsTold', () => {
  test('a holder hears only of the conversions that are not stuck, or of all', () => tellBoth('deadlockedIsTold', `
    A lock NL                   -> A OK NL
    B lock PR                   -> B OK PR
    H lock CR                   -> H OK CR
    A convert CW                -> A waits, B blocks CW
    B convert EX NODLCKWT       -> B waits, H blocks EX
                                -> G[H:CR] C[A:NL>CW B:PR>EX]
    H convert CR                -> H OK CR, B blocks EX | H OK CR, B blocks EX, H blocks EX
  `));
});

describe('blockedCwIsFresh', () => {
  test('a CW that this very pass has granted as PR counts as blocked, or does not', () => tellBoth('blockedCwIsFresh', `
    K lock CW                   -> K OK CW
    Z lock CW                   -> Z OK CW
    V lock CR                   -> V OK CR
    U lock CR                   -> U OK CR
    X lock NL                   -> X OK NL
    F lock NL                   -> F OK NL
    Z convert PR NOORDER        -> Z waits, K blocks PR
    V convert EX NODLCKWT       -> V waits, K blocks EX, U blocks EX
    U convert EX NODLCKWT       -> U waits
    X convert CW QUECVT ALTPR HEADQUE -> X waits
    F convert PR HEADQUE        -> F waits
    W lock PR                   -> W waits
                                -> G[K:CW] C[F:NL>PR X:NL>CW Z:CW>PR V:CR>EX U:CR>EX] W[W>PR]
    K unlock                    -> K EUNLOCK, F OK PR, X OK PR +ALTMODE, Z OK PR, V blocks EX, F blocks CW, X blocks CW, Z blocks CW | K EUNLOCK, F OK PR, X OK PR +ALTMODE, Z OK PR, V blocks EX
  `));
});

describe('grantLeavesConvertQueue', () => {
  test('a queued conversion granted in the mode it holds loses its mode, or is done', () => tellBoth('grantLeavesConvertQueue', `
    A lock PR                   -> A OK PR
    B lock NL                   -> B OK NL
    C lock PR                   -> C OK PR
    B convert EX                -> B waits, A blocks EX, C blocks EX
    C convert EX QUECVT ALTPR NODLCKWT -> C waits
                                -> G[A:PR] C[B:NL>EX C:PR>EX]
    B cancel                    -> B ECANCEL NL, C OK PR +ALTMODE, C OK +ALTMODE | B ECANCEL NL, C OK PR +ALTMODE
                                -> G[A:PR B:NL C:IV] | G[A:PR B:NL C:PR]
  `));
});

describe('waitsEndFirst', () => {
  test('what an owner waited for when he ended is granted by the end of his other lock, or not', () => tellBoth('waitsEndFirst', `
    A/2 lock PR                 -> A/2 OK PR
    B/2 lock CR PERSISTENT      -> B/2 OK CR
    B/2 convert CW PERSISTENT   -> B/2 waits, A/2 blocks CW
    owner 2 ends                -> nothing
                                -> G[B/2:CW] | G[B/2:CR]
  `));
});

describe('placeIsNoDeadlock', () => {
  test('one behind a conversion that waits for it waits for ever, or is granted', () => tellBoth('placeIsNoDeadlock', `
    A lock NL                   -> A OK NL
    B lock CR                   -> B OK CR
    H lock CW                   -> H OK CW
    B convert PR                -> B waits, H blocks PR
    A convert EX HEADQUE        -> A waits, H blocks EX
    H unlock                    -> H EUNLOCK | H EUNLOCK, B OK PR, B blocks EX
                                -> C[A:NL>EX B:CR>PR] | G[B:PR] C[A:NL>EX]
  `));

  test('whoever said that it would give up its mode does', () => tellBoth('placeIsNoDeadlock', `
    A lock NL                   -> A OK NL
    B lock CR                   -> B OK CR
    H lock CW                   -> H OK CW
    B convert PR CONVDEADLK     -> B waits, H blocks PR
    A convert EX HEADQUE        -> A waits, H blocks EX
    H unlock                    -> H EUNLOCK, A OK EX, A blocks PR
                                -> G[A:EX] C[B:NL>PR]
  `));
});

describe('arrivalIsFollowed', () => {
  test('whoever comes to the head, and fits, waits until somebody else does something, or does not', () => tellBoth('arrivalIsFollowed', `
    H lock PR                   -> H OK PR
    A lock EX                   -> A waits, H blocks EX
    B lock CR HEADQUE           -> B waits | B waits, B OK CR, B blocks EX
                                -> G[H:PR] W[B>CR A>EX] | G[H:PR B:CR] W[A>EX]
  `));

  test('so it is with conversions', () => tellBoth('arrivalIsFollowed', `
    H lock PR                   -> H OK PR
    A lock NL                   -> A OK NL
    B lock NL                   -> B OK NL
    A convert EX                -> A waits, H blocks EX
    B convert CR QUECVT HEADQUE -> B waits | B waits, B OK CR, B blocks EX
                                -> G[H:PR] C[B:NL>CR A:NL>EX] | G[H:PR B:CR] C[A:NL>EX]
  `));

  test('one at the head who does not fit changes nothing', () => tellBoth('arrivalIsFollowed', `
    H lock PR                   -> H OK PR
    A lock EX                   -> A waits, H blocks EX
    B lock PW HEADQUE           -> B waits
                                -> G[H:PR] W[B>PW A>EX]
  `));

  test('a deadlock that comes of it is found with the next change, or at once', () => tellBoth('arrivalIsFollowed', `
    K lock CW                   -> K OK CW
    A lock NL                   -> A OK NL
    B lock CR                   -> B OK CR
    B convert PR CONVDEADLK     -> B waits, K blocks PR
    A convert EX HEADQUE        -> A waits, K blocks EX
                                -> G[K:CW] C[A:NL>EX B:CR>PR] | G[K:CW] C[A:NL>EX B:NL>PR]
    K unlock                    -> K EUNLOCK, A OK EX, A blocks PR
                                -> G[A:EX] C[B:NL>PR]
  `));

  test('whoever was let past the others is not told that they wait, or is', () => tellBoth('arrivalIsFollowed', `
    H lock PR                   -> H OK PR
    A lock EX                   -> A waits, H blocks EX
    B lock CR NOORDER           -> B OK CR | B OK CR, B blocks EX
                                -> G[H:PR B:CR] W[A>EX]
  `));

  test('whoever was let in by one who gave up his mode is not told who waits, or is', () => tellBoth('arrivalIsFollowed', `
    A lock NL                   -> A OK NL
    B lock CR                   -> B OK CR
    D lock CW                   -> D OK CW
    A convert PR                -> A waits, D blocks PR
    B convert EX QUECVT         -> B waits, D blocks EX
    D convert PR QUECVT CONVDEADLK -> A OK PR, D waits | A OK PR, D waits, A blocks EX
                                -> G[A:PR] C[B:CR>EX D:NL>PR]
  `));
});

describe('adoptionIsChecked', () => {
  test('flags no lock may have come to stand on the adopted one, or are refused', () => tellBoth('adoptionIsChecked', `
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    B lock PR ORPHAN CANCEL     -> refused ENOENT | refused EINVAL cancel-is-for-cancel
    owner 2 ends                -> nothing
    B lock PR ORPHAN EXPEDITE   -> refused EAGAIN | refused EINVAL expedite-is-nl
    B lock EX ORPHAN QUECVT     -> B adopted EX | refused EINVAL quecvt-needs-convert
  `));
});

describe('adopterIsTold', () => {
  test('whoever adopts what others wait for hears of it, or does not', () => tellBoth('adopterIsTold', `
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    B lock PR                   -> B waits
    C lock EX ORPHAN PERSISTENT -> C adopted EX | C adopted EX, C blocks PR
  `));

  test('also of somebody who came while the former owner lived; to PR a CW is told as CW', () => tellBoth('adopterIsTold', `
    A/2 lock PR PERSISTENT      -> A/2 OK PR
    B/3 lock PR                 -> B/3 OK PR
    C lock CW                   -> C waits, A/2 blocks CW, B/3 blocks CW
    B/3 unlock                  -> B/3 EUNLOCK, A/2 blocks CW
    owner 2 ends                -> nothing
    D lock PR ORPHAN PERSISTENT -> D adopted PR | D adopted PR, D blocks CW
  `));

  test('where nobody waits nothing is told', () => tellBoth('adopterIsTold', `
    A/2 lock EX PERSISTENT      -> A/2 OK EX
    owner 2 ends                -> nothing
    C lock EX ORPHAN PERSISTENT -> C adopted EX
  `));
});
