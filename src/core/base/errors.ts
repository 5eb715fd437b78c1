/**
 * What can go wrong for an operator, each with a stable code, an exit code, and a
 * hint that says what to do next.
 *
 * Exit codes are part of the interface: `dlm codes` prints this table and
 * docs/errors.md explains it. They keep clear of flock(1), sysexits(3) and of what
 * shells use for signals, so that a script can tell ours from its command's own.
 */

interface Entry {
  readonly exit: number;
  /** What it means, in a few words. */
  readonly meaning: string;
  /** What to do about it, unless the place that reports it knows better. */
  readonly hint: string;
}

export const catalogue = {
  DLM_USAGE: { exit: 64, meaning: 'the command line makes no sense', hint: 'see --help' },
  DLM_INTERNAL: { exit: 70, meaning: 'a mistake in dlm itself', hint: 'please report it with the message above' },
  DLM_UNWRITTEN: { exit: 74, meaning: 'the result could not be written', hint: 'see where standard output goes' },
  DLM_NOT_PERMITTED: { exit: 77, meaning: 'the system does not permit it', hint: 'ask whoever runs the node for access to its socket' },
  DLM_CONFIG_INVALID: { exit: 78, meaning: 'the configuration cannot be used', hint: 'correct it, then look again with: dlm fence test --all' },
  DLM_BUSY: { exit: 80, meaning: 'the lock is held and waiting was not wanted', hint: 'wait for it with -w SECONDS, or see who holds it with: dlm locks' },
  DLM_TIMED_OUT: { exit: 81, meaning: 'the lock was not granted in time', hint: 'see who holds it with: dlm locks' },
  DLM_DEADLOCK: { exit: 82, meaning: 'the conversion would have waited for ever', hint: 'unlock, then lock again; or convert with CONVDEADLK' },
  DLM_CANCELLED: { exit: 83, meaning: 'the wait was cancelled', hint: 'ask again if the lock is still wanted' },
  DLM_LOST: { exit: 84, meaning: 'the lock is no longer held', hint: 'stop touching what it protects; see: dlm node status' },
  DLM_NO_VALUE: { exit: 85, meaning: 'the resource has no value', hint: 'a value lasts as long as somebody holds a lock, NL is enough' },
  DLM_VALUE_INVALID: { exit: 86, meaning: 'the value is not valid: a writer gave up or died', hint: 'write a new one, or read the old one with --allow-invalid' },
  DLM_VALUE_TOO_LONG: { exit: 87, meaning: 'the value does not fit into the value block', hint: 'create the lockspace with a greater --value-length' },
  DLM_NOTHING_TO_CANCEL: { exit: 88, meaning: 'the lock is not waiting for anything', hint: 'a granted lock is given back with: dlm unlock' },
  DLM_LOCK_UNKNOWN: { exit: 89, meaning: 'no such lock', hint: 'it has ended, or the id is of an earlier life of the node; see: dlm locks' },
  DLM_LOCK_IN_PROGRESS: { exit: 90, meaning: 'the lock is still waiting for an earlier request', hint: 'wait for it, or take it back with: dlm cancel' },
  DLM_ORPHAN_UNKNOWN: { exit: 91, meaning: 'no orphan of that name and mode', hint: 'see: dlm orphans list' },
  DLM_LOCKSPACE_UNKNOWN: { exit: 92, meaning: 'this node has not joined that lockspace', hint: 'join it with: dlm lockspace create NAME' },
  DLM_LOCKSPACE_EXISTS: { exit: 93, meaning: 'the lockspace exists', hint: 'leave out --new to use it' },
  DLM_LOCKSPACE_IN_USE: { exit: 94, meaning: 'the lockspace still has locks', hint: 'see them with: dlm locks; or remove it with --force' },
  DLM_NO_NODE: { exit: 95, meaning: 'no node answers', hint: 'start one with: dlm node join --detach' },
  DLM_START_REFUSED: { exit: 96, meaning: 'a node is not started by itself here', hint: 'join on purpose with: dlm node join' },
  DLM_START_FAILED: { exit: 97, meaning: 'the node could not be started', hint: 'see its log' },
  DLM_NODE_EXISTS: { exit: 98, meaning: 'a node is already running', hint: 'see: dlm node status' },
  DLM_NODE_IN_USE: { exit: 99, meaning: 'the node still holds locks', hint: 'see them with: dlm locks; wait with --drain, or end them with --force' },
  DLM_NOT_QUORATE: { exit: 100, meaning: 'this node is outside the quorate membership', hint: 'see: dlm node status' },
  DLM_RULE_BROKEN: { exit: 101, meaning: 'the law of locks forbids this combination', hint: 'what goes with what: docs/glossary.md, Flags' },
  DLM_NAME_INVALID: { exit: 102, meaning: 'a name that cannot be used', hint: 'give 1 to 64 bytes of printable text, or use --name-hex' },
  DLM_OWNER_INVALID: { exit: 103, meaning: 'that process cannot own a lock here', hint: 'name a living process of this machine with --owner-pid' },
  DLM_STATE_UNUSABLE: { exit: 104, meaning: 'the node cannot keep its state', hint: 'see whether there is room and who owns it, or name another folder with DLM_DIR' },
  DLM_TOO_MANY: { exit: 105, meaning: 'a limit was reached', hint: 'wait for some of what was asked for before asking for more' },
  DLM_PROTOCOL: { exit: 106, meaning: 'the node and its caller do not understand each other', hint: 'see docs/protocol.md; after an upgrade restart the node: dlm node leave' },
  DLM_VALUE_DIFFERS: { exit: 107, meaning: 'the value is not the one that was expected', hint: 'nothing was written; look at what it is now, and decide again' },
  DLM_VALUE_NO_NUMBER: { exit: 108, meaning: 'the value is not a whole number', hint: 'nothing was written; write a number with: dlm lvb set NAME NUMBER' },
  DLM_NODE_FAILED: { exit: 109, meaning: 'this node had to end as failed, and the others recover from it', hint: 'see its log for the reason, then join again' },
  DLM_STILL_MEMBER: { exit: 110, meaning: 'that node is a member and has not failed', hint: 'let it leave there with: dlm node leave; if it must be ended: dlm recover run --node N --force' },
  DLM_WAITING: { exit: 111, meaning: 'a recovery still waits for something', hint: 'see for what with: dlm recover status' },
  DLM_OUT_OF_ORDER: { exit: 112, meaning: 'a recovery did not happen in the order that was asked for', hint: 'please report it with the record' },
  DLM_NO_RECORD: { exit: 113, meaning: 'there is no record of that', hint: 'see which there are with: dlm recover show --list' },
  DLM_NO_CLUSTER: { exit: 114, meaning: 'this node is alone, and that takes a cluster', hint: 'be a member of one: dlm node join --cluster NAME' },
  DLM_RECOVERY_OVER: { exit: 115, meaning: 'the recovery that this process belongs to is over', hint: 'end it; whoever recovers now has an identity of his own' },
  DLM_TOKEN_OLD: { exit: 116, meaning: 'the token is older than one that was seen before', hint: 'write nothing: the lock was given to somebody else since' },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

export const errorCodes = Object.keys(catalogue) as ErrorCode[];

/** An error somebody can do something about. */
export class DlmError extends Error {
  override readonly name = 'DlmError';
  readonly hint: string;

  constructor(
    readonly code: ErrorCode,
    /** What happened and why, as a sentence without a full stop. */
    message: string,
    hint?: string,
  ) {
    super(message);
    this.hint = hint ?? catalogue[code].hint;
  }

  get exitCode(): number {
    return catalogue[this.code].exit;
  }
}
