/**
 * The protected commands of an earlier node in the same place are ended before this one
 * becomes a member of a cluster.
 *
 * A life that comes back closes the case of the one that failed: nobody is fenced any more,
 * and the others are granted what it held. So whoever may still use that must be gone by
 * then. Until it is, the earlier life counts as failed, and may be fenced with all that runs.
 * The local engine has its own ways (engine/last-children.ts); a node that is alone only
 * grants nothing meanwhile (watch.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ChildRegister } from './child-register.js';
import { FamilyStop } from './family-stop.js';
import type { Places } from './places.js';
import { isAlive } from './process-facts.js';
import { graceMillis } from './process-family.js';

const lookMillis = 50;

/** So long it takes at most, unless KILL does not help: a guard has its time to stop its command, and that its own. */
export const endingMillis = 2 * graceMillis + 1_000;

/** Resolves when they are gone. Whoever guards one may be stopping it just now, and has its time. */
export async function endEarlierChildren(places: Pick<Places, 'children' | 'scope'>, log: (line: string) => void): Promise<void> {
  const living = new ChildRegister(places).survivors().filter((child) => !child.isGone);
  const stops = new FamilyStop();
  for (const child of living) {
    log(`process ${child.pid} may still use what an earlier node here held, and is ended before this one joins`);
    if (isAlive(child)) stops.doomed(child);
    else stops.unguarded(child);
  }
  while (living.some((child) => !child.isGone)) {
    stops.look();
    await pause(lookMillis);
  }
}
