/**
 * Mutants of the nodes: for every checker one line broken, with the story of what goes
 * wrong, and a world in which that checker must be the one who notices.
 *
 * The fragment to replace must occur exactly once in its file of src/core. Some of these
 * faults other lock managers have had.
 */
export interface Mutant {
  /** The checker that must complain. */
  readonly property: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly story: string;
  readonly seed: number;
  readonly nodes: number;
  /** Without a directory; with what follows failures as drawn; not given: neither. */
  readonly kind: 'nodir' | 'full' | null;
}

type Row = readonly [property: string, file: string, from: string, to: string, story: string, seed: number, nodes: number, kind?: 'nodir' | 'full'];

const rows: readonly Row[] = [
  ['exclusion', 'lockspace/receive.ts', 'const master = known?.master ?? from;', 'const master = from;', 'the directory makes everybody master who asks', 12, 3],
  ['departed', 'node/stack.ts', '    this.#isRunning = false;\n    this.#hasBegun = false;\n    if (!view', '    this.#hasBegun = false;\n    if (!view', 'locking goes on while a death is recovered from', 18, 3],
  ['pairing', 'lockspace/reply.ts', ' || compatible(lock.granted, mode)) {', ') {', 'a blocking callback for a mode that is no longer held', 3, 3],
  ['conversions', 'lock/operations.ts', "  lock.requested = IV;\n  if (lock.place === 'converting')", "  lock.requested = IV;\n  if (lock.place === 'converting') lock.granted = 0;\n  if (lock.place === 'converting')",
    'a conversion that is taken back gives up the mode it had', 11, 3],
  ['tokens', 'lockspace/numbers.ts', '    this.#mastership += 1;\n', '    this.#mastership = 1;\n', 'a resource that was forgotten and made anew repeats its tokens', 5, 3],
  ['fairness', 'recovery/settle.ts', 'if (tables.config.law.orderSurvives) putInOrder(resource);', '', 'the order of those who wait is lost with the master', 3, 3],
  ['value-block', 'recovery/depart.ts', 'lock.granted >= PW && lock.has(Flag.VALBLK)', 'false', 'a dead writer leaves a valid value', 26, 3],
  ['hygiene', 'node/stack.ts', "if (!members.isOfNow(from, message.seq)) return this.#disregard(from, message, 'oldLife');", '', 'what was said before a member joined again is heeded', 10, 3],
  ['leaving', 'node/node.ts', '      this.#sort();\n      this.#announce();\n    }\n  }', '      this.#sort();\n    }\n  }', 'nobody is told of a leave', 8, 3],
  ['recoveries', 'recovery/recovery.ts', '&& !this.#hasReached && this.asks === null ? this.#reach() : [];', '&& !this.#hasReached && this.asks === null && this.#errands.count > 0 ? this.#reach() : [];', 'a phase is never ended', 1, 4],
  ['directory', 'lockspace/lockspace.ts', "      tables.send(directory, { kind: 'remove', lockspace: tables.id, seq: tables.seq, name, mastership });\n", '', 'a master forgets a resource, and the directory is not told', 6, 3],
  ['orphans', 'recovery/depart.ts', "if (lock.copy !== 'master' || !departed.has(lock.far!.node!)) return;", "if (lock.copy !== 'master' || !departed.has(lock.far!.node!) || lock.granted === IV) return;",
    'who waited when his node died goes on waiting', 3, 3],
  ['holdings', 'recovery/rebuild-locks.ts', "lock.place === 'asked' || isEnding(lock)) return;", "lock.place === 'asked') return;", 'the new master is told of a lock that is being ended', 8, 5],
  ['progress', 'lock/operations.ts', "  turn.complete(lock, 'EUNLOCK');\n  grantPending(turn, resource);\n", "  turn.complete(lock, 'EUNLOCK');\n", 'an unlock lets nobody in', 4, 3],
  ['leftovers', 'lockspace/receive.ts', '    this.#tables.forget(lock);\n  }\n\n  cancel', '    this.#tables.locks.remove(lock);\n  }\n\n  cancel', 'a resource whose last lock was another node\'s is never forgotten', 51, 3],
  ['quorum', 'node/stack.ts', '    if (!view.isQuorate) return [];\n    return this.#recover', '    return this.#recover', 'a view without a quorum is recovered in', 6, 3, 'full'],
  ['self-stop', 'node/stack.ts', '  cut(): void {\n    this.#isQuorate = false;\n    this.#isRunning = false;\n', '  cut(): void {\n    this.#isQuorate = false;\n', 'whoever hears nothing of the engine grants on', 76, 4, 'full'],
  ['zombies', 'sim/disk.ts', 'compareTokens(token, highest) < 0', 'token.sequence < 0', 'a disk that takes everything', 50, 5, 'full'],
  ['epochs', 'recovery/slots.ts', 'return generation(highest + 1);', 'return generation(Math.min(highest + 1, 20));', 'generations end at 20', 1, 4, 'full'],
  ['order', 'node/aftermath.ts', "    if (waitsFor(order, 'dlm', 'suspend') && !this.gate.isOpen && !this.gate.isSuspended) return false;\n", '', 'locks are recovered while applications still run', 3, 3, 'full'],
  ['fencing', 'cluster/fencing.ts', 'this.#view!.isQuorate && this.actorOf(one) === this.self;', 'this.#view!.isQuorate;', 'everybody has the failed node fenced', 5, 5, 'full'],
  ['resumption', 'node/aftermath.ts', 'return progress.isDone && this.work.pending.length === 0 &&', 'return progress.isDone && !this.isDisturbed && this.work.pending.length === 0 &&', 'after a failure nobody resumes', 3, 3, 'full'],
  ['rejoining', 'sim/world.ts', '      this.crash(machine);\n      this.#startSoon(machine);\n    });\n  }\n\n  /** Without', '    });\n  }\n\n  /** Without', 'who was left out is never started anew', 28, 4, 'full'],
];

export const mutants: readonly Mutant[] = rows.map(([property, file, from, to, story, seed, nodes, kind = null]) => ({
  property, file, from, to, story, seed, nodes, kind,
}));
