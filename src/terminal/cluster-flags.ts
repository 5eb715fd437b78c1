/**
 * How to be a member of a cluster: the options of those who join one, and what they
 * mean, for a node that stays and for one that lives as long as a command.
 */
import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { engineNames, escapeText, fenceWays, quoteCommand, readSecretText, rememberJoin, type ClusterOptions, type EngineName, type FenceWay } from '../core/index.js';
import { etcdFlags, etcdPlace, etcdWords } from './etcd-flags.js';
import { nodeFlag, weightFlag } from './flags.js';

const group = { helpGroup: 'CLUSTER' };
const needsCluster = { ...group, dependsOn: ['cluster'] };

export const clusterFlags = {
  cluster: Flags.string({ char: 'C', helpValue: 'NAME', summary: 'be a member of this cluster', ...group }),
  engine: Flags.string({ options: engineNames, summary: 'who says who is a member: local, for nodes on this machine; corosync or etcd, for several; local if not given, etcd with --etcd', ...needsCluster }),
  node: nodeFlag({ helpValue: 'N', summary: 'the number of the node; the lowest free one if not given', ...needsCluster }),
  name: Flags.string({ helpValue: 'NAME', summary: 'how people call the node', ...needsCluster }),
  listen: Flags.string({ helpValue: 'ADDRESS', summary: 'where the others reach it, as tcp:HOST:PORT; if not given a socket in its folder, with corosync its address there', ...needsCluster }),
  'key-file': Flags.string({ helpValue: 'FILE', summary: 'the key of the cluster, for links that leave this machine', ...needsCluster }),
  insecure: Flags.boolean({ summary: 'let links leave this machine unencrypted', ...needsCluster }),
  weight: weightFlag({ helpValue: 'N', summary: 'its share of the directory; once one member has given a weight, those who have none, or 0, keep no part of it', ...needsCluster }),
  fence: Flags.string({ options: fenceWays, summary: 'fence all failed nodes in this way [default: as dlm.conf says; on the local engine, process]', ...needsCluster }),
  config: Flags.string({ helpValue: 'FILE', summary: "how nodes are fenced [default: the node's own, /etc/dlm/dlm.conf]", ...needsCluster }),
  'cluster-dir': Flags.string({ helpValue: 'FOLDER', summary: 'where clusters of this machine have their folders', ...needsCluster }),
  ...etcdFlags,
};

/** A node of the command's own, which ends with it. */
export const inProcessFlags = {
  'in-process': Flags.boolean({ summary: 'run a node inside this command, for its lifetime', helpGroup: 'NODE' }),
  alone: Flags.boolean({
    summary: 'with --in-process: on purpose a node that shares its locks with nobody, or the first of a cluster',
    dependsOn: ['in-process'],
    helpGroup: 'NODE',
  }),
  ...clusterFlags,
  cluster: Flags.string({ char: 'C', helpValue: 'NAME', summary: 'with --in-process: be a member of this cluster meanwhile', helpGroup: 'CLUSTER', dependsOn: ['in-process'] }),
};

/** As the line says it. */
export type ClusterFlags = Partial<Interfaces.InferredFlags<typeof clusterFlags>>;

export type InProcessFlags = Partial<Interfaces.InferredFlags<typeof inProcessFlags>>;

/** The same options, for a node in the background; it has another current folder. */
export function clusterWords(flags: ClusterFlags): string[] {
  const words = (name: keyof ClusterFlags, value: string | number | undefined): string[] => (value === undefined ? [] : [`--${name}=${value}`]);
  const path = (name: 'key-file' | 'cluster-dir' | 'config'): string[] => words(name, flags[name] === undefined ? undefined : resolve(flags[name]));
  return [
    ...(['cluster', 'engine', 'node', 'name', 'listen', 'weight', 'fence'] as const).flatMap((name) => words(name, flags[name])),
    ...path('key-file'),
    ...path('cluster-dir'),
    ...path('config'),
    ...etcdWords(flags),
    ...(flags.insecure === true ? ['--insecure'] : []),
  ];
}

/** The same as a person would type them, on one line; undefined if they do not fit on one. */
function clusterLine(flags: ClusterFlags): string | undefined {
  const typed = clusterWords(flags).map((word) => {
    const [, option, value] = /^(--[^=]+)=(?!-)(.*)$/s.exec(word) ?? [];
    return option === undefined ? quoteCommand([word]) : `${option} ${quoteCommand([value!])}`;
  });
  const line = typed.join(' ');
  return line === escapeText(line) ? line : undefined;
}

/** Null: no cluster. Rejects with `DLM_USAGE`; and if the key cannot be read, which is remembered as an attempt to join. */
export async function clusterOptions(flags: ClusterFlags): Promise<ClusterOptions | null> {
  const { cluster, engine, node, name, listen, weight, fence, config } = flags;
  if (cluster === undefined) return null;
  const etcd = etcdPlace(flags);
  const line = clusterLine(flags);
  const named = { cluster, ...(line === undefined ? {} : { line }) };
  return {
    ...named,
    ...(engine === undefined ? (etcd === null ? {} : { engine: 'etcd' }) : { engine: engine as EngineName }),
    ...(etcd === null ? {} : { etcd }),
    ...(node === undefined ? {} : { node }),
    ...(name === undefined ? {} : { name }),
    ...(listen === undefined ? {} : { listen }),
    ...(flags['key-file'] === undefined ? {} : { keys: [await readKey(flags['key-file'], named)] }),
    ...(flags.insecure === true ? { insecure: true } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(fence === undefined ? {} : { fence: fence as FenceWay }),
    ...(config === undefined ? {} : { config }),
    ...(flags['cluster-dir'] === undefined ? {} : { base: flags['cluster-dir'] }),
  };
}

/** The key is all that is in the file but for white space around it. */
async function readKey(path: string, joined: Pick<ClusterOptions, 'cluster' | 'line'>): Promise<Uint8Array> {
  try {
    const text = readSecretText(path, 'the key of the cluster', `make one with: (umask 077; head -c 32 /dev/urandom | base64 > ${quoteCommand([path])})`);
    return Buffer.from(text.trim(), 'utf8');
  } catch (error) {
    // Until then nobody else knows that this machine is to be a member.
    await rememberJoin(joined);
    throw error;
  }
}
