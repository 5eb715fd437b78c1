/**
 * Mutants of the law: one line broken, with the story of what goes wrong.
 *
 * The fragment to replace must occur exactly once in its file of src/core. The
 * recordings must tell every mutant from the real thing; if one survives, a
 * scenario is missing, or the line is not needed.
 */
export interface Mutant {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly story: string;
}

const mutantsOf = (file: string, all: readonly (readonly [from: string, to: string, story: string])[]): Mutant[] =>
  all.map(([from, to, story]) => ({ file, from, to, story }));

export const mutants: readonly Mutant[] = [
  ...mutantsOf('lock/mode.ts', [
    ['/* CR */ allBut(EX)', '/* CR */ allBut()', 'a reader is let in beside an exclusive holder'],
    ['/* CW */ allBut(PR, PW, EX)', '/* CW */ allBut(PW, EX)', 'CW asked for beside PR no longer waits'],
    ['/* PW */ allBut(CW, PR, PW, EX)', '/* PW */ allBut(CW, PW, EX)', 'PR and PW are taken for compatible'],
    ['(one === PR && other === CW) ||', '', 'only one direction between PR and CW counts as the special pair'],
  ]),
  ...mutantsOf('lock/flags.ts', [
    ['nameLengthMax = 64', 'nameLengthMax = 63', 'names of 64 bytes are refused'],
    ['/* CW */ [PR, PW, EX]', '/* CW */ [PW, EX]', 'QUECVT refuses to go from CW to PR'],
    ['(flags & Flag.QUECVT) !== 0 && !(flags & Flag.CONVERT)', 'false', 'QUECVT on a new request is accepted'],
    ['(flags & Flag.CANCEL) !== 0,', 'false,', 'CANCEL on a new request is accepted'],
    ['(flags & ~unlockFlags) !== 0', 'false', 'an unlock takes any flag'],
  ]),
  ...mutantsOf('lock/lvb.ts', [
    ["/* CW   */ '--RRRR'", "/* CW   */ '-RRRRR'", 'CW to CR reads the value'],
    ["/* PW   */ 'WWWWWR'", "/* PW   */ 'WWWWWW'", 'PW to EX writes instead of reading'],
    ["/* EX   */ 'WWWWWW'", "/* EX   */ 'WWWWWR'", 'EX to EX reads instead of writing'],
    ['if (!lock.has(Flag.VALBLK) || lock.value === null) return null;', '', 'whoever does not ask for the value gets it, and its mark'],
    ['given = lock.value = resource.value.bytes;', 'given = lock.value;', 'a reader gets its own buffer back'],
    ['lock.results |= Result.VALNOTVALID;', ';', 'nobody is told that a value is not valid'],
    ['if (!write(resource, lock, isDeclaredNotValid(lock))) return null;', 'write(resource, lock, isDeclaredNotValid(lock));', 'whoever makes the value invalid is warned of it'],
    ['if (lock.granted >= PW)', 'if (lock.granted > PW)', 'an unlock from PW loses the value'],
    ['resource.value.isValid = false;', '', 'IVVALBLK is ignored'],
    ['value.isValid = true;', '', 'a write does not make the value valid again'],
  ]),
  ...mutantsOf('lock/lock.ts', [
    ['this.results = 0;', '', 'what one call reports is reported again by the next'],
  ]),
  ...mutantsOf('lock/resource.ts', [
    ['      queue.prepend(lock);\n', '      queue.append(lock);\n', 'HEADQUE joins at the tail'],
  ]),
  ...mutantsOf('lock/grant.ts', [
    ['if (lock.has(Flag.EXPEDITE)) return true;', '', 'EXPEDITE waits like any other'],
    ['return !lock.has(Flag.QUECVT) || resource.convertQueue.isEmpty ||', 'return true ||', 'QUECVT jumps the queue'],
    ['if (lock.has(Flag.NOORDER)) return true;', '', 'NOORDER waits its turn'],
    ['return resource.convertQueue.first === lock;', 'return true;', 'converters are granted from the middle of their queue'],
    ['if (!resource.convertQueue.isEmpty) return false;', '', 'a new request overtakes the converters'],
    ["occasion === 'arrival' ? resource.waitQueue.isEmpty :", "occasion === 'arrival' ? true :", 'a new request overtakes the waiters'],
    ['const mayQueue = !lock.has(Flag.NOQUEUE);', 'const mayQueue = true;', 'NOQUEUE gets EDEADLK instead of EAGAIN'],
    ['lock.results |= Result.DEMOTED;', '', 'nobody is told of a demotion'],
    ['if (lock.has(Flag.ALTPR) && lock.requested !== PR) return PR;', '', 'ALTPR is ignored'],
    ['lock.results |= Result.ALTMODE;', '', 'the alternative mode is not reported'],
    ['if (blocking !== null) blocking.told = IV;', '', 'a holder is not told again after its own conversion'],
    ['if (mode > this.highest) this.highest = mode;', 'this.highest = mode;', 'holders hear of the last blocked mode, not the highest'],
    ['if (mode === CW) this.includesCw = true;', '', 'PR holders do not hear of a CW under a higher mode'],
    ["if (hasTurn && judge(turn, resource, lock, 'retry') === 'granted') grant(turn, resource, lock);\n    else ", '', 'waiters are never granted'],
    ['tellHoldersAfterPass(turn, resource, { highest, includesCw });', ';', 'after a pass nobody is told'],
  ]),
  ...mutantsOf('lock/deadlock.ts', [
    ['if (blocksOther && (!passedItself || blockedByOther)) return true;', '', 'deadlocks wait for ever'],
    ['(!passedItself || blockedByOther)', 'blockedByOther', 'one who would only wait behind another is not in deadlock'],
  ]),
  ...mutantsOf('lock/blocking.ts', [
    ['if (areMiddlePair(holder.granted, mode)) return holder.told < EX;', '', 'PR holders hear of CW only once'],
    ['return holder.told < mode && !compatible(holder.granted, mode);', 'return !compatible(holder.granted, mode);', 'holders hear again and again'],
    ['tellAll(turn, resource.convertQueue.first, blocked);', '', 'NOQUEUEBAST does not reach converters'],
    ['isPrBeforeCw && still.highest === PR ? CW : still.highest', 'still.highest', 'a PR holder is told of PR where a CW is blocked'],
  ]),
  ...mutantsOf('lock/turn.ts', [
    ['        lock.results,\n', '        0,\n', 'a completion reports nothing beside its status'],
    ['memory.told = remembered;', '', 'nothing of what a holder was told is remembered'],
  ]),
  ...mutantsOf('lock/operations.ts', [
    ["if (lock.place !== 'granted') return ended('EBUSY');", '', 'a converting lock can be converted once more'],
    ["if (verdict === 'deadlock' && !lock.has(Flag.NODLCKWT) &&", "if (verdict === 'deadlock' &&", 'NODLCKWT does not wait'],
    ['grantConversions(turn, lock.resource);', '', 'a demoted lock does not let the others go first'],
    ['if (!isDemoted(lock)) return false;', 'return false;', 'a demoted lock is not looked at again'],
    ['moveValueOnUnlock(resource, lock);', '', 'no unlock writes a value'],
    ["if (lock.place === 'granted') return null;", '', 'cancelling a granted lock completes'],
    ["if (lock.place === 'converting') resource.joinGranted(lock, turn.now);\n  else resource.leave(lock);", 'resource.leave(lock);', 'a cancelled conversion loses its granted mode'],
  ]),
  ...mutantsOf('lockspace/receive.ts', [
    ['const master = known?.master ?? from;', 'const master = from;', 'the directory makes everybody master who asks'],
    ['if (this.#kind === null) return;', '', 'a conversion that its holder has done is answered'],
  ]),
  ...mutantsOf('lockspace/reply.ts', [
    ['lock.remember().told = mode;', '', 'a holder on the new master is told again what it knows'],
  ]),
  ...mutantsOf('recovery/depart.ts', [
    ['return lock.has(Flag.VALBLK) ||', 'return true ||', 'a dead writer without VALBLK makes the value invalid'],
    ['return lock.has(Flag.VALBLK) ||', 'return', 'a dead writer leaves a valid value'],
    ['    touched.add(resource);', '', 'nobody is granted what the dead held'],
  ]),
  ...mutantsOf('recovery/recovery.ts', [
    ['keepOwnLocks(resource);', '', 'the new master forgets its own locks'],
    ['grantPending(tables.turn, resource, occasion);', '', 'nothing is granted after a recovery'],
  ]),
];
