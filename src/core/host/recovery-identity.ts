/**
 * The identity of a recovery process, as it is passed on: in the environment of the hook
 * that recovers, and from there by whatever locks on its behalf.
 *
 *   LOCKSPACE/GENERATION/SECRET
 *
 * It never stands in a command line, a log or a result. It says for which lockspace it
 * is, so that it is not shown where it means nothing.
 */
export const recoveryVariable = 'DLM_RECOVERY';

export function recoveryIdentity(lockspace: string, generation: number, secret: string): string {
  return `${lockspace}/${generation}/${secret}`;
}

/** Empty if it is none. */
export function lockspaceOfRecovery(identity: string): string {
  const parts = identity.split('/');
  return parts.length === 3 ? parts[0]! : '';
}

/** What this process was given; null if it belongs to no recovery. */
export function recoveryOfEnvironment(environment: NodeJS.ProcessEnv = process.env): string | null {
  const identity = environment[recoveryVariable];
  return identity === undefined || identity === '' ? null : identity;
}
