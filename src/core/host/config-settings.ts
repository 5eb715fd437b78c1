/**
 * The lines `setting=value` of dlm.conf: which there are, and what a value looks like.
 *
 * The names are those of dlm_controld. What concerns the kernel's lock manager or its
 * daemon alone is known here by name, so that it can be said that it has no effect. What
 * goes before what (options, environment, file) is not decided here.
 */
import type { Remark } from './config.js';

/** What a file sets; what it does not set is not there. */
export interface Settings {
  readonly enableFencing?: boolean;
  /** Fence one node beside another. */
  readonly enableConcurrentFencing?: boolean;
  /** Fence nodes that were not there when the first ones came. */
  readonly enableStartupFencing?: boolean;
  /** Fence only in a quorate view. */
  readonly enableQuorumFencing?: boolean;
  readonly enableQuorumLockspace?: boolean;
  readonly repeatFailedFencing?: boolean;
  /** How long a failed node may come back by itself before it is fenced, when somebody has just joined. */
  readonly postJoinDelaySeconds?: number;
  /** How long an agent may take for one action, unless its device says otherwise. */
  readonly agentTimeoutSeconds?: number;
}

type Value = boolean | number | string;

const switches: Readonly<Record<string, keyof Settings>> = {
  enable_fencing: 'enableFencing',
  enable_concurrent_fencing: 'enableConcurrentFencing',
  enable_startup_fencing: 'enableStartupFencing',
  enable_quorum_fencing: 'enableQuorumFencing',
  enable_quorum_lockspace: 'enableQuorumLockspace',
  repeat_failed_fencing: 'repeatFailedFencing',
};

const seconds: Readonly<Record<string, { name: keyof Settings; least: number }>> = {
  post_join_delay: { name: 'postJoinDelaySeconds', least: 0 },
  agent_timeout: { name: 'agentTimeoutSeconds', least: 1 },
};

const secondsMax = 3_600;

const withoutEffect = [
  'daemon_debug', 'log_debug', 'protocol', 'bind_all', 'mark', 'debug_logfile', 'enable_plock', 'plock_debug', 'plock_rate_limit',
  'plock_ownership', 'drop_resources_time', 'drop_resources_count', 'drop_resources_age', 'enable_helper',
];

/** Its first word has an equals sign in it, or before its second. */
export function isSettingLine(line: string): boolean {
  return /^[^\s=]*\s*=/.test(line);
}

export function readSetting(line: string, number: number, into: Map<string, Value>, remarks: { errors: Remark[]; warnings: Remark[] }): void {
  const [, name, value] = /^([^\s=]*)\s*=\s*(.*)$/s.exec(line)!;
  const fail = (says: string, instead: string): void => void remarks.errors.push({ line: number, says, instead });
  const warn = (says: string, instead: string): void => void remarks.warnings.push({ line: number, says, instead });
  const flag = Object.hasOwn(switches, name!) ? switches[name!] : undefined;
  const count = Object.hasOwn(seconds, name!) ? seconds[name!] : undefined;
  const key = flag ?? count?.name;
  if (key === undefined) {
    if (withoutEffect.includes(name!)) warn(`${name} concerns the kernel's lock manager and has no effect`, 'leave it out');
    else warn('there is no setting of that name, and the line has no effect', `the settings are: ${[...Object.keys(switches), ...Object.keys(seconds)].join(', ')}`);
  } else if (into.has(key)) {
    fail(`${name} stands in the file twice`, 'leave out one of them');
  } else if (flag !== undefined) {
    if (/^[01]$/.test(value!)) into.set(key, value === '1');
    else fail(`${name} is 0 or 1`, `write ${name}=1 or ${name}=0`);
  } else {
    const { least } = count!;
    const isGood = /^\d+$/.test(value!) && Number(value) >= least && Number(value) <= secondsMax;
    if (isGood) into.set(key, Number(value));
    else fail(`${name} must be a whole number of seconds from ${least} to ${secondsMax}`, `write, for example, ${name}=10`);
  }
}

export function settingsOf(read: ReadonlyMap<string, Value>): Settings {
  return Object.fromEntries(read) as Settings;
}
