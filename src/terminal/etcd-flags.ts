/**
 * Where the etcd of a cluster is, as a line says it. Passwords and keys are in files; a
 * line that others can read has only their names.
 */
import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { DlmError, type EtcdPlace } from '../core/index.js';
import { parseDuration } from './durations.js';

const group = { helpGroup: 'ETCD', dependsOn: ['cluster'] };

export const etcdFlags = {
  etcd: Flags.string({ helpValue: 'URL[,URL…]', summary: 'the servers of the etcd, with --engine etcd', ...group }),
  'etcd-ttl': Flags.string({ helpValue: 'TIME', summary: 'how long a member may be silent before others go on; at least 19s, and the same for all [default: 20s]', ...group }),
  'etcd-prefix': Flags.string({ helpValue: 'KEY', summary: 'below which key the clusters are [default: /dlm]', ...group }),
  'etcd-user': Flags.string({ helpValue: 'NAME', summary: 'who we are to etcd', ...group }),
  'etcd-password-file': Flags.string({ helpValue: 'FILE', summary: 'its first line is the password', ...group }),
  'etcd-ca': Flags.string({ helpValue: 'FILE', summary: 'whose certificates to trust', ...group }),
  'etcd-cert': Flags.string({ helpValue: 'FILE', summary: 'our certificate', ...group }),
  'etcd-key': Flags.string({ helpValue: 'FILE', summary: 'its key', ...group }),
};

export type EtcdFlags = { readonly [Name in keyof typeof etcdFlags]?: string | undefined };

const ttlMillisDefault = 20_000;

const files = ['etcd-password-file', 'etcd-ca', 'etcd-cert', 'etcd-key'] as const;

/** Null: the line says nothing of etcd. Throws `DLM_USAGE`. */
export function etcdPlace(flags: EtcdFlags): EtcdPlace | null {
  const { etcd } = flags;
  if (etcd === undefined) {
    const lonely = Object.keys(etcdFlags).find((name) => flags[name as keyof EtcdFlags] !== undefined);
    if (lonely !== undefined) throw new DlmError('DLM_USAGE', `--${lonely} says how to speak to an etcd, and none is named`, 'name its servers with: --etcd URL[,URL…]');
    return null;
  }
  const [passwordFile, ca, cert, key] = files.map((name) => flags[name]);
  return {
    endpoints: etcd.split(',').map((url) => url.trim()),
    ttlMillis: flags['etcd-ttl'] === undefined ? ttlMillisDefault : parseDuration(flags['etcd-ttl']),
    ...(flags['etcd-prefix'] === undefined ? {} : { prefix: flags['etcd-prefix'] }),
    ...(flags['etcd-user'] === undefined ? {} : { user: flags['etcd-user'] }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The same options, for a node in the background; it has another current folder. */
export function etcdWords(flags: EtcdFlags): string[] {
  return Object.keys(etcdFlags).flatMap((name) => {
    const value = flags[name as keyof EtcdFlags];
    if (value === undefined) return [];
    return [`--${name}=${(files as readonly string[]).includes(name) ? resolve(value) : value}`];
  });
}
