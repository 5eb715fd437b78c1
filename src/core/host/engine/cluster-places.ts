/**
 * Where the nodes of a cluster on one machine find each other.
 *
 * Like the places of a node, it follows from the uid alone, or from a folder that
 * is named: the nodes have a folder each, and still must all look into this one.
 * What lies there means nothing after a restart of the machine.
 */
import { join, resolve } from 'node:path';
import { DlmError } from '../../base/errors.js';
import { ownRun, prepareFolder, type Places } from '../places.js';
import { escapeText } from '../text.js';

export interface ClusterPlaces {
  readonly name: string;
  /** The folders above that are ours too, the uppermost first. */
  readonly above: readonly Pick<Places, 'run' | 'scope'>[];
  readonly folder: string;
  /** Whoever holds it is the registrar. */
  readonly lock: string;
  readonly socket: string;
  readonly journal: string;
}

/** `base`: the folder in which clusters have theirs; that of this user, or of the machine, if not given. Throws `DLM_NAME_INVALID`. */
export function clusterPlaces(cluster: string, base?: string): ClusterPlaces {
  checkClusterName(cluster);
  const run = ownRun();
  const clusters = base === undefined ? join(run.run, 'clusters') : resolve(base);
  const folder = join(clusters, cluster);
  return {
    name: cluster,
    above: [...(base === undefined ? [run] : []), { scope: 'folder', run: clusters }],
    folder,
    lock: join(folder, 'registrar.lock'),
    socket: join(folder, 'registrar.sock'),
    journal: join(folder, 'views.jsonl'),
  };
}

/** The options of `dlm node join` with which a node looks into the same place; where the folder cannot be typed, a word stands for it. */
export function optionsFor(base: string | undefined): string[] {
  if (base === undefined) return [];
  const folder = resolve(base);
  return ['--cluster-dir', folder === escapeText(folder) ? folder : 'FOLDER'];
}

/** The same for every engine. Throws `DLM_NAME_INVALID`. */
export function checkClusterName(cluster: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(cluster)) return;
  throw new DlmError(
    'DLM_NAME_INVALID',
    `${JSON.stringify(cluster)} cannot be the name of a cluster`,
    'give 1 to 32 letters, digits, dots, dashes and underscores, not beginning with a dot or a dash',
  );
}

/**
 * Make the folder if need be. Only its owner may enter: whoever can enter can be a
 * member. Throws `DLM_NOT_PERMITTED` or `DLM_STATE_UNUSABLE`.
 */
export function prepareCluster({ above, folder }: ClusterPlaces): void {
  try {
    for (const { run, scope } of above) prepareFolder(run, scope);
    prepareFolder(folder, 'folder');
  } catch (error) {
    if (!(error instanceof DlmError) || error.code !== 'DLM_NOT_PERMITTED') throw error;
    throw new DlmError(error.code, error.message, 'the nodes of a local cluster are all of one user: join as that user, or name a folder of yours with --cluster-dir');
  }
}
