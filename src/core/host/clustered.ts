/**
 * May a node be of no cluster here? Where a cluster is at home it would grant what the
 * other members hold, so only somebody who says so gets one.
 *
 * Asked by whoever starts a node: a command that found none, and a person. A node for
 * one user is asked about the machine, too.
 */
import { existsSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { memberAgain } from './outcome.js';
import { ownUid, type Places } from './places.js';
import { isMarkedClustered, lastJoin, wasEverClustered } from './state-file.js';

/** Throws `DLM_START_REFUSED`, or `DLM_STATE_UNUSABLE`. */
export function refuseWhereClustered(everyPlace: readonly Places[]): void {
  for (const places of everyPlace) {
    const why = whyClustered(places);
    if (why !== null) {
      throw new DlmError(
        'DLM_START_REFUSED',
        `a node of no cluster is not started here because ${why}, and it would grant what the other members hold`,
        `${joinAgain(places)}; or, if the cluster is no more: dlm node join --alone --detach`,
      );
    }
  }
}

/** What to do where no node answers; undefined: as the catalogue says, since one may be started. */
export function hintWithoutNode(everyPlace: readonly Places[]): string | undefined {
  const place = everyPlace.find(isClustered);
  return place === undefined ? undefined : joinAgain(place);
}

/** As far as we can see: who cannot read it is told why when a node is to be started. */
function isClustered(places: Places): boolean {
  try {
    return whyClustered(places) !== null;
  } catch (error) {
    if (error instanceof DlmError) return false;
    throw error;
  }
}

/** The line with which this node would be a member again, as it was one; of who only has a configuration an operator must know the cluster. */
function joinAgain(places: Places): string {
  return memberAgain(lastJoin(places) ?? '--cluster NAME');
}

function whyClustered(places: Places): string | null {
  if (existsSync(places.config)) return `${places.config} describes a cluster`;
  const isOurs = places.scope !== 'machine' || ownUid() === 0;
  const wasMember = isOurs ? wasEverClustered(places) : isMarkedClustered(places);
  if (!wasMember) return null;
  return `${places.scope === 'machine' ? 'this machine' : `the node of ${places.run}`} has been part of a cluster, or was to be`;
}
