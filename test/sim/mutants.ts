/**
 * Mutants of the nodes: for every checker one line broken, with the story of what goes
 * wrong, and a world in which that checker must be the one who notices.
 *
 * The fragment to replace must occur exactly once in its file of src/core. Some of these
 * faults other lock managers have had.
 */
export interface Mutant {
  /** The checker that must complain; `assertion`: what every machine of a world asserts of its node. */
  readonly property: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly story: string;
  /** A world of three nodes in which it notices. */
  readonly seed: number;
  /** `plain`: nothing follows failures but the recovery of locks; `full`: what does is as it is drawn; `late`: so is what came to be drawn last. */
  readonly kind: 'plain' | 'full' | 'late';
}

type Row = readonly [property: string, file: string, from: string, to: string, story: string, seed: number, kind?: 'full' | 'late'];

const rows: readonly Row[] = [
  ['exclusion', 'lockspace/receive.ts', 'const master = known?.master ?? from;', 'const master = from;', 'the directory makes everybody master who asks', 12],
  ['departed', 'node/stack.ts', '    this.#isRunning = false;\n    this.#hasBegun = false;\n    if', '    if', 'locking goes on while a death is recovered from', 4],
  ['assertion', 'node/soonest.ts', "input.message.standing === 'notMaster'", 'false', 'a timer that was set before is taken for early enough', 11, 'full'],
  ['pairing', 'lockspace/reply.ts', '(compatible(lock.granted, mode) || tables.turn.toldEarly.has(lock))', 'tables.turn.toldEarly.has(lock)', 'a blocking callback for a mode that is no longer held', 3],
  ['conversions', 'lock/operations.ts', "  lock.requested = IV;\n  if (lock.place === 'converting')", "  lock.requested = IV;\n  if (lock.place === 'converting') lock.granted = 0;\n  if (lock.place === 'converting')",
    'a conversion that is taken back gives up the mode it had', 3],
  ['tokens', 'lockspace/numbers.ts', '    this.#mastership += 1;\n', '    this.#mastership = 1;\n', 'a resource that was forgotten and made anew repeats its tokens', 1],
  ['fairness', 'recovery/settle.ts', 'if (tables.config.law.orderSurvives) putInOrder(resource);', '', 'the order of those who wait is lost with the master', 18],
  ['value-block', 'recovery/depart.ts', 'lock.has(Flag.VALBLK) || (config.law', '(config.law', 'a dead writer leaves a valid value', 26],
  ['hygiene', 'node/stack.ts', "if (message.seq < members.seq) return this.#disregard(from, message, 'oldRecovery');", '', 'an answer of a recovery that was abandoned is heeded in the next', 6],
  ['leaving', 'node/node.ts', '    this.#byId.delete(stack.lockspace.tables.id);\n    this.#sort();\n    this.#announce();\n', '    this.#byId.delete(stack.lockspace.tables.id);\n    this.#sort();\n', 'nobody is told of a leave', 6],
  ['recovering', 'recovery/recovery.ts', '    this.#reached.add(from);\n', '    if (from !== members.coordinator || phase !== \'done\') this.#reached.add(from);\n', 'the last phase waits for the report of the coordinator itself', 2],
  ['recoveries', 'node/stack.ts', "        this.#outbox.push({ kind: 'recovered', lockspace: this.name, generation: number, slots });", "        for (const round of [1, 2]) if (round > 0) this.#outbox.push({ kind: 'recovered', lockspace: this.name, generation: number, slots });", 'a recovery ends twice', 1],
  ['masters', 'lockspace/reply.ts', "  if (resource.home.master !== from && !isSure(resource)) resource.home = tables.homeAt(from);\n", '', 'whoever has been answered does not remember by whom', 1],
  ['bypass', 'lock/grant.ts', "  return occasion === 'arrival' ? resource.waitQueue.isEmpty : resource.waitQueue.first === lock;", "  return occasion === 'arrival' ? resource.waitQueue.isEmpty || compatible(resource.waitQueue.first!.requested, lock.requested) : resource.waitQueue.first === lock;", 'whoever could hold beside the first who waits is let past', 3],
  ['deadlocks', 'lock/deadlock.ts', '    if (blocksOther && (!passedItself || blockedByOther)) return true;\n', '', 'nobody is told of a deadlock', 4],
  ['directory', 'lockspace/lockspace.ts', "      tables.send(directory, { kind: 'remove', lockspace: tables.id, seq: tables.seq, name, mastership });\n", '', 'a master forgets a resource, and the directory is not told', 4],
  ['orphans', 'lockspace/lockspace.ts', 'else this.#end(lock, Flag.FORCEUNLOCK | Flag.IVVALBLK, null);\n    }\n  }\n\n  /** End every', "else if (lock.copy !== 'process') this.#end(lock, Flag.FORCEUNLOCK | Flag.IVVALBLK, null);\n    }\n  }\n\n  /** End every",
    'a lock that is mastered elsewhere outlives its owner', 4],
  ['notices', 'lockspace/receive.ts', "    tables.send(node!, { kind: 'blocking', lockspace: tables.id, seq: tables.seq, lkid: lkid!, mode });\n", '', 'a holder elsewhere is not told that it is in the way', 4],
  ['holdings', 'lockspace/reply.ts', "if (lock.place !== 'waiting' && lock.place !== 'converting') return false;", "if (lock.place !== 'waiting') return false;", 'a holder does not hear of the grant of its conversion', 5],
  ['progress', 'lock/operations.ts', '  letGo(turn, lock, flags, value);\n  grantPending(turn, lock.resource);\n', '  letGo(turn, lock, flags, value);\n', 'an unlock lets nobody in', 4],
  ['leftovers', 'lockspace/receive.ts', '    this.#tables.forget(lock);\n  }\n\n  cancel', '    this.#tables.locks.remove(lock);\n  }\n\n  cancel', 'a resource whose last lock was another node\'s is never forgotten', 45],
  ['quorum', 'node/node.ts', '  #follow(now: Millis, view: View): void {\n', '  #follow(now: Millis, given: View): void {\n    const view = { ...given, isQuorate: true };\n', 'every view is taken for quorate', 6, 'full'],
  ['self-stop', 'node/stack.ts', 'hasBegun: this.#hasBegun };\n    this.#isQuorate = false;\n    this.#isRunning = false;\n', 'hasBegun: this.#hasBegun };\n    this.#isQuorate = false;\n', 'whoever hears nothing of the engine grants on', 76, 'full'],
  ['zombies', 'sim/disk.ts', 'compareTokens(token, highest) < 0', 'token.sequence < 0', 'a disk that takes everything', 96, 'full'],
  ['epochs', 'recovery/slots.ts', 'return generation(highest + 1);', 'return generation(Math.min(highest + 1, 20));', 'generations end at 20', 1, 'full'],
  ['order', 'node/aftermath.ts', "    if (waitsFor(order, 'dlm', 'suspend') && !this.gate.isOpen && !this.gate.isSuspended) return false;\n", '', 'locks are recovered while applications still run', 3, 'full'],
  ['order', 'cluster/group.ts', 'present.lockspaces.get(this.lockspace) === -join;', 'false;', 'an application that dies is taken to have left in good order', 47, 'full'],
  ['fencing', 'cluster/fencing.ts', 'this.#view!.isQuorate && this.actorOf(one) === this.self;', 'this.#view!.isQuorate;', 'everybody has the failed node fenced', 5, 'full'],
  ['resumption', 'node/aftermath.ts', 'return progress.isDone && this.work.pending.length === 0 &&', 'return progress.isDone && !this.isDisturbed && this.work.pending.length === 0 &&', 'after a failure nobody resumes', 3, 'full'],
  ['orphans', 'lockspace/lockspace.ts', 'this.config.law.waitsEndFirst && lock', 'false && lock', 'the end of a lock grants what its owner, who has ended, waited for beside it', 18, 'late'],
  ['pairing', 'node/stack.ts', 'if (this.#calls.length > 0) this.#calls =', 'if (this.#calls.length > 1000) this.#calls =', 'what has to wait is begun for an owner who has ended', 7, 'late'],
  ['value-block', 'lockspace/stranded.ts', 'const givenBack = Flag.FORCEUNLOCK | Flag.IVVALBLK;', 'const givenBack = Flag.FORCEUNLOCK;', 'what is lost outside a quorum leaves the value before it valid', 49, 'late'],
  ['rejoining', 'sim/world.ts', '      this.crash(machine);\n      this.#startSoon(machine);\n    });\n  }\n\n  /** Without', '    });\n  }\n\n  /** Without', 'who was left out is never started anew', 28, 'full'],
];

export const mutants: readonly Mutant[] = rows.map(([property, file, from, to, story, seed, kind]) => ({
  property, file, from, to, story, seed, kind: kind ?? 'plain',
}));
