/**
 * Unlock and cancel, from every state a lock can be in; what is refused, and with
 * which word.
 */
import { describe, test } from 'node:test';
import { tell } from './story.js';

describe('an unlock', () => {
  test('ends a waiting request', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    B unlock                    -> B EUNLOCK
                                -> G[A:EX]
  `));

  test('ends a converting lock, granted mode and all', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    A unlock                    -> A EUNLOCK
                                -> G[B:PR]
  `));

  test('with FORCEUNLOCK does the same', () => tell(`
    A lock PR                   -> A OK PR
    B lock EX                   -> B waits, A blocks EX
    B unlock FORCEUNLOCK        -> B EUNLOCK
    A unlock FORCEUNLOCK        -> A EUNLOCK
                                -> nothing
  `));

  test('starts a pass', () => tell(`
    A lock EX                   -> A OK EX
    B lock CR                   -> B waits, A blocks CR
    C lock CW                   -> C waits, A blocks CW
    A unlock                    -> A EUNLOCK, B OK CR, C OK CW
  `));

  test('with CANCEL is a cancel', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    B unlock CANCEL             -> B ECANCEL
    A unlock CANCEL             -> nothing
                                -> G[A:EX]
  `));
});

describe('a cancel', () => {
  test('of a granted lock has nothing to do', () => tell(`
    A lock EX                   -> A OK EX
    A cancel                    -> nothing
    A cancel                    -> nothing
    A cancel VALBLK             -> nothing
                                -> G[A:EX]
  `));

  test('of a conversion keeps the granted mode and lets others pass', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    C lock PR                   -> C waits
    A cancel                    -> A ECANCEL PR, C OK PR
    A convert CR                -> A OK CR
  `));

  test('of a request ends it and lets others pass', () => tell(`
    A lock CR                   -> A OK CR
    B lock EX                   -> B waits, A blocks EX
    C lock PW                   -> C waits
    B cancel                    -> B ECANCEL, C OK PW
    B cancel                    -> refused ENOENT
  `));

  test('that loses against a grant has nothing to do either', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX                   -> B waits, A blocks EX
    A unlock                    -> A EUNLOCK, B OK EX
    B cancel                    -> nothing
  `));

  test('in the name of a deadlock is told as one', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    A deadlock                  -> A EDEADLK PR
    C lock EX                   -> C waits, A blocks EX
    C deadlock                  -> C EDEADLK
    B deadlock                  -> nothing
                                -> G[A:PR B:PR]
  `));
});

describe('refused with', () => {
  test('ENOENT: every call on a lock that has ended', () => tell(`
    A lock EX                   -> A OK EX
    B lock EX NOQUEUE           -> B EAGAIN
    B convert NL                -> refused ENOENT
    B unlock                    -> refused ENOENT
    A unlock                    -> A EUNLOCK
    A unlock                    -> refused ENOENT
    A convert EX QUECVT         -> refused ENOENT
    A cancel                    -> refused ENOENT
  `));

  test('EBUSY: a conversion of a lock that waits or converts; it changes nothing', () => tell(`
    A lock PR                   -> A OK PR
    B lock PR                   -> B OK PR
    A convert EX                -> A waits, B blocks EX
    A convert NL                -> refused EBUSY
    A convert NL QUECVT         -> refused EBUSY
    C lock EX                   -> C waits
    C convert NL                -> refused EBUSY
                                -> G[B:PR] C[A:PR>EX] W[C>EX]
  `));

  test('EINVAL and the rule: a call that breaks one; it changes nothing', () => tell(`
    A lock EX CANCEL            -> refused EINVAL cancel-is-for-cancel
    A lock EX QUECVT            -> refused EINVAL quecvt-needs-convert
    A lock EX CONVDEADLK        -> refused EINVAL convdeadlk-needs-convert
    A lock PR EXPEDITE          -> refused EINVAL expedite-is-nl
    A lock NL EXPEDITE NOQUEUE  -> refused EINVAL expedite-never-queues
    A lock PR                   -> A OK PR
    A convert NL EXPEDITE       -> refused EINVAL expedite-is-new
    A convert EX CONVDEADLK NOQUEUE -> refused EINVAL convdeadlk-waits
    A convert NL QUECVT         -> refused EINVAL quecvt-goes-up
    A unlock NOQUEUE            -> refused EINVAL unlock-flags
    A unlock CANCEL FORCEUNLOCK -> refused EINVAL cancel-or-force
    A cancel FORCEUNLOCK        -> refused EINVAL cancel-or-force
    A cancel PERSISTENT         -> refused EINVAL unlock-flags
                                -> G[A:PR]
  `));
});

describe('another owner', () => {
  test('may convert, unlock and cancel by the id; the lock\'s owner hears of it', () => tell(`
    A/2 lock EX                 -> A/2 OK EX
    B lock EX                   -> B waits, A/2 blocks EX
    A/2 convert PW              -> A/2 OK PW, A/2 blocks EX
    A/2 unlock                  -> A/2 EUNLOCK, B OK EX
  `));
});
