/**
 * What a session does for each request: one row an operation.
 */
import { DlmError } from '../base/errors.js';
import * as inspect from './inspect.js';
import { answerOfApplication } from './session-application.js';
import { joinLockspace, purgeOrphans, removeLockspace } from './local-port.js';
import type { Served } from './served.js';
import type { Session } from './session.js';
import { nameIn, type SessionLocks } from './session-locks.js';
import type { Request } from './session-protocol.js';
import type { LockFilter, LocksOfAll } from './types.js';

/** Carry the request out and answer it, now or later. */
export function answer(session: Session, locks: SessionLocks, at: Served, request: Request): void {
  session.attempt(request.id, () => {
    switch (request.op) {
      case 'lock':
        return locks.lock(request);
      case 'convert':
        return locks.convert(request);
      case 'unlock':
        return locks.unlock(request);
      case 'cancel':
        return locks.cancel(request);
      case 'locks':
        return list(session, at, request);
      case 'leave':
        return leave(session, at, request);
      case 'joinLockspace':
        return join(session, at, request);
      case 'awaitChange':
        return awaitChange(session, at, request);
      case 'openShell':
        return openShell(session, locks, at, request);
      case 'protect':
        return protect(session, locks, request);
      default:
        return session.whileHolding(() => session.result(request.id, resultOf(session, locks, at, request)));
    }
  });
}

type Plain = Exclude<Request, { op: 'lock' | 'convert' | 'unlock' | 'cancel' | 'locks' | 'leave' | 'openShell' | 'protect' | 'awaitChange' | 'joinLockspace' }>;

function resultOf(session: Session, locks: SessionLocks, at: Served, request: Plain): unknown {
  const { host } = at;
  switch (request.op) {
    case 'removeLockspace':
      removeLockspace(host, request.lockspace, request.force ?? false);
      return {};
    case 'attachApplication':
    case 'answerApplication':
    case 'detachApplication':
      return answerOfApplication(session, locks, at, request);
    case 'content':
      return inspect.content(host, request.lockspace);
    case 'purgeOrphans':
      return { purged: purgeOrphans(host, request.lockspace, request.formerPid) };
    case 'status':
      return at.status(request.lockspace);
    case 'hello':
      throw new DlmError('DLM_PROTOCOL', 'hello has been said');
  }
}

interface FilterWords {
  readonly lockspace: string | null;
  readonly name: string | null;
  readonly nameHex: string | null;
  readonly orphansOnly: boolean | null;
}

export function filterIn(words: FilterWords): LockFilter {
  const name = nameIn(words);
  return {
    ...(words.lockspace === null ? {} : { lockspace: words.lockspace }),
    ...(name === null ? {} : { name: Buffer.from(name, 'latin1') }),
    orphansOnly: words.orphansOnly ?? false,
  };
}

/** The answer comes when all members have told, if all were asked. */
function list(session: Session, { host }: Served, request: Request<'locks'>): void {
  const filter = filterIn(request);
  const result = ({ locks, unlisted }: LocksOfAll): void => session.result(request.id, request.tellUnlisted === true ? { locks, unlisted } : locks);
  if (request.allNodes !== true || host.cluster === null) session.whileHolding(() => result({ locks: inspect.locks(host, filter), unlisted: [] }));
  else {
    host.everywhere.locks(filter).then(
      result,
      (error: unknown) => session.refuse(request.id, asDlmError(error)),
    );
  }
}

/** The answer comes when the node has agreed, just before the connection ends. */
function leave(session: Session, at: Served, request: Request<'leave'>): void {
  const { id } = request;
  const leaver = { gone: session.gone, agreed: () => session.result(id, {}) };
  const words = { force: request.force ?? false, drain: request.drain ?? false };
  at.leave(words, leaver).catch((error: unknown) => session.refuse(id, asDlmError(error)));
}

/** What is joined is answered at once, in its turn; else the answer comes when it is seen what the others have. */
function join(session: Session, { host }: Served, { id, lockspace, valueLength, order, nodir, isNew }: Request<'joinLockspace'>): void {
  const wanted = { ...(valueLength === null ? {} : { valueLength }), ...(order === null ? {} : { order }), ...(nodir === null ? {} : { nodir }) };
  const joined = joinLockspace(host, lockspace, { ...wanted, isNew: isNew ?? false });
  if (!(joined instanceof Promise)) return session.result(id, joined);
  joined.then(
    (summary) => session.result(id, summary),
    (error: unknown) => session.refuse(id, asDlmError(error)),
  );
}

/** The answer comes when something has changed. */
function awaitChange(session: Session, { host }: Served, { id, seen }: Request<'awaitChange'>): void {
  // A command that waits for long asks with every change; what is answered leaves nothing behind.
  const answered = new AbortController();
  const forget = host.changes.after(seen, (changes) => {
    answered.abort();
    session.result(id, { changes });
  });
  session.gone.addEventListener('abort', forget, { once: true, signal: answered.signal });
}

/** The answer comes when the process is on the disk, for whoever comes after this node. */
function protect(session: Session, locks: SessionLocks, { id, pid }: Request<'protect'>): void {
  locks.protect(pid).then(
    () => session.result(id, {}),
    (error: unknown) => session.refuse(id, asDlmError(error)),
  );
}

/** The answer comes when the pipes are there. The node must know the shell's process by its number. */
function openShell(session: Session, locks: SessionLocks, at: Served, { id, lockspace }: Request<'openShell'>): void {
  locks.checkNamespace();
  at.openShell(lockspace, locks.recovery).then(
    (folder) => session.result(id, { folder, pid: process.pid }),
    (error: unknown) => session.refuse(id, asDlmError(error)),
  );
}

function asDlmError(error: unknown): DlmError {
  return error instanceof DlmError ? error : new DlmError('DLM_INTERNAL', String(error));
}
