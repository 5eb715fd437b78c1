/**
 * What an operator chooses of a cluster, and what of it can be refused before anybody is
 * asked: by the node that is to join, and by the command that is to start one in the
 * background. Nothing is written here, and nobody is spoken with.
 */
import { join } from 'node:path';
import { DlmError } from '../base/errors.js';
import { nodeId } from '../base/ids.js';
import { planFencing, type FencingOptions, type FencingPlan } from './cluster-fencing.js';
import { checkClusterName, optionsFor } from './engine/cluster-places.js';
import type { Engine } from './engine/engine.js';
import { endingMillis } from './earlier-children.js';
import { addressByEngine, engineOf, joinMillisBy, type EngineName, type EtcdPlace } from './engine/engines.js';
import { isName } from './engine/registrar-protocol.js';
import { LinkSecurity } from './link-security.js';
import { parseNodeAddress } from './node-address.js';
import type { Places } from './places.js';
import { escapeText, quoteCommand } from './text.js';

export interface ClusterOptions extends FencingOptions {
  readonly cluster: string;
  /** The options of `dlm node join` that say all this, as a shell reads them: for those who are told how to be a member again. */
  readonly line?: string;
  /** Who says who is a member; `local` if not given. */
  readonly engine?: EngineName;
  /** For the engine `etcd`. */
  readonly etcd?: EtcdPlace;
  /** Join others, and do not be the first; false if not given. */
  readonly mustExist?: boolean;
  /** The number this node wants; the lowest free one if not given. */
  readonly node?: number;
  /** How people call it; made of the machine's name and the number if not given. */
  readonly name?: string;
  /** The folder in which clusters of this machine have theirs. */
  readonly base?: string;
  /** Where to be reached, as `tcp:HOST:PORT`; a socket in the node's folder if not given. */
  readonly listen?: string;
  /** Shared by the cluster; needed for links that leave this machine. */
  readonly keys?: readonly Uint8Array[];
  readonly insecure?: boolean;
  /** Its share of the directory. */
  readonly weight?: number;
  /** How much may wait for a member that takes no messages, in bytes; 64 MiB if not given. */
  readonly backlogBytesMax?: number;
}

/** To load the program, and to answer. */
const comingUpMillis = 10_000;

/** What is wrong with it in itself. Throws `DLM_USAGE`, `DLM_NAME_INVALID`, `DLM_CONFIG_INVALID`. */
function checkWords(given: ClusterOptions, places: Places): FencingPlan {
  const { engine = 'local', name } = given;
  checkClusterName(given.cluster);
  if (name !== undefined && !isName(name)) {
    throw new DlmError('DLM_NAME_INVALID', `${JSON.stringify(name)} cannot be the name of a node`, 'give 1 to 64 printable characters without spaces');
  }
  refuseOpenLinks(given);
  return planFencing(given, engine === 'local', places);
}

/** Rejects with `DLM_USAGE`, `DLM_NAME_INVALID`, `DLM_CONFIG_INVALID`, and as `addressByEngine`. */
export async function checkOptions(given: ClusterOptions, places: Places): Promise<{ options: ClusterOptions; plan: FencingPlan }> {
  const plan = checkWords(given, places);
  const listen = given.listen ?? (await addressByEngine(given.engine ?? 'local'));
  const options = { ...given, ...(listen === null ? {} : { listen }) };
  refuseOpenLinks(options);
  return { options, plan };
}

/** Is it not the wish that is wrong, but what the engine stands on that is not there, or not for us? */
export function isOfSurroundings(error: unknown): boolean {
  return error instanceof DlmError && ['DLM_START_FAILED', 'DLM_NOT_PERMITTED', 'DLM_STATE_UNUSABLE'].includes(error.code);
}

/** One that has not joined yet. Rejects as `engineOf`. */
export function engineFor({ cluster, engine = 'local', base, etcd, mustExist = false }: ClusterOptions, places: Places, log: (line: string) => void): Promise<Engine> {
  return engineOf(engine, { cluster, ...(base === undefined ? {} : { base }), ...(etcd === undefined ? {} : { etcd }), mustExist, places, log });
}

/** All of it that can be known beforehand, for somebody who starts a node in the background. Rejects as `checkOptions` and `engineFor`. */
export async function checkJoin(given: ClusterOptions, places: Places): Promise<void> {
  checkWords(given, places);
  // Whether corosync runs is for the node to find, which then remembers that it was to be a member; and the folders of a local cluster are its own to make.
  if (given.engine !== 'etcd') return;
  const { options } = await checkOptions(given, places);
  await (await engineFor(options, places, () => undefined)).leave();
}

/** How long a node in the background may take to become a member, in milliseconds: it says better than its starter why it cannot. */
export async function startMillisFor({ engine = 'local', etcd }: ClusterOptions): Promise<number> {
  return endingMillis + (await joinMillisBy(engine, etcd)) + comingUpMillis;
}

/** With which options a person would be a member as this one is; for a program that is one, those without which it would be another cluster. */
export function lineFor({ line, cluster, engine = 'local', etcd, base }: ClusterOptions): string {
  if (line !== undefined) return line;
  const words = (option: string, value: string | undefined, name: string): string[] =>
    value === undefined ? [] : [`--${option}`, value === escapeText(value) ? value : name];
  const where = {
    local: () => optionsFor(base),
    corosync: () => words('engine', engine, 'corosync'),
    etcd: () => [...words('etcd', etcd?.endpoints.join(','), 'URL'), ...words('etcd-prefix', etcd?.prefix, 'KEY')],
  };
  return quoteCommand(['--cluster', cluster, ...where[engine]()]);
}

export const linkSocket = ({ run }: Places): string => join(run, 'link.sock');

/** Where the others reach this node. */
export function addressOf({ listen }: ClusterOptions, places: Places): string {
  return listen ?? `unix:${linkSocket(places)}`;
}

/** Said before anybody counts us as a member. Throws `DLM_USAGE`. */
function refuseOpenLinks({ listen, keys = [], insecure = false }: ClusterOptions): void {
  if (listen === undefined) return;
  new LinkSecurity({ node: nodeId(1), keys, isInsecure: insecure }).check(parseNodeAddress(listen));
}
