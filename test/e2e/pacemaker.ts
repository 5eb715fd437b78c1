/**
 * Real Pacemaker on hosts that are namespaces: all of its daemons on each, on the corosync
 * that is there, with a device of fence_ipmilan for some of the hosts.
 *
 * Each host has a /var/lib/pacemaker of its own, with the cluster's configuration in it
 * from the start, so that nothing has to be configured by commands. What Pacemaker says
 * is read with its own commands, on one of the hosts.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../kill/processes.js';
import { bmcPassword } from './bmc.js';
import { needs } from './install.js';
import type { Machine } from './machines.js';

/** One line of Pacemaker's own history of fencing. */
export type FenceEvent = Readonly<Record<string, string>>;

const daemons = ['pacemaker-based', 'pacemaker-fenced', 'pacemaker-execd', 'pacemaker-attrd', 'pacemaker-schedulerd', 'pacemaker-controld'];
const patienceMillis = 90_000;

export class Pacemaker {
  readonly #machines: readonly Machine[];
  readonly #configuration: string;

  /** Nodes of dlm look for its agent when they start, so it is there before them. */
  static install(): void {
    needs('pacemaker', 'pacemaker-cli-utils', 'fence-agents');
  }

  /** For these machines, whose controllers run; those of `devices` can be fenced. */
  constructor(machines: readonly Machine[], devices: readonly Machine[]) {
    this.#machines = machines;
    this.#configuration = configurationOf(devices);
  }

  /** Start it everywhere; returns when all see all, and every device can be used on every host. */
  async start(): Promise<void> {
    for (const machine of this.#machines) this.startOn(machine);
    await this.areOne();
  }

  startOn({ host }: Machine): void {
    const library = join(host.folder, 'pacemaker');
    if (!existsSync(library)) {
      const owned = ['-o', 'hacluster', '-g', 'haclient'];
      for (const name of ['', 'cib', 'pengine', 'blackbox', 'cores']) execFileSync('install', ['-d', ...owned, '-m', '750', join(library, name)]);
      const source = join(host.folder, 'cib.xml');
      writeFileSync(source, this.#configuration);
      execFileSync('install', [...owned, '-m', '600', source, join(library, 'cib', 'cib.xml')]);
    }
    const log = openSync(join(host.folder, 'pacemakerd.out'), 'a');
    const settings = ['PCMK_logfacility=none', `PCMK_logfile=${join(host.folder, 'pacemaker.log')}`];
    const enter = 'mount --bind "$0" /var/lib/pacemaker && exec "$@"';
    host.spawn(['sh', '-c', enter, library, 'env', ...settings, 'pacemakerd', '-f'], { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  async areOne(): Promise<void> {
    for (const machine of this.#machines) {
      let last = '';
      let looks = 0;
      await until(`Pacemaker on h${machine.node} sees all hosts and all devices`, async () => {
        // A command is dear: twice in a second is enough.
        if (looks++ % 25 > 0) return false;
        last = await said(machine, 'crm_mon', '-1', '-r', '-n', '--output-as=xml');
        const online = [...last.matchAll(/<node name="\w+" id="\d+" online="true"[^>]* pending="false" unclean="false"/g)].length;
        return online === this.#machines.length && /<current_dc present="true"/.test(last) && !/<resource [^>]*(active="false"|failed="true")/.test(last);
      }, patienceMillis).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}\n${last}\n${this.log(machine).slice(-3_000)}`);
      });
      machine.host.noteAll();
    }
  }

  /** All of its history about a host, the latest first, as it is known on a machine. */
  async history(machine: Machine, name: string): Promise<FenceEvent[]> {
    const xml = await said(machine, 'stonith_admin', `--history=${name}`, '--verbose', '--output-as=xml');
    return [...xml.matchAll(/<fence_event ([^>]*)\/>/g)].map(([, text]) => Object.fromEntries([...text!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!])));
  }

  log({ host }: Machine): string {
    const path = join(host.folder, 'pacemaker.log');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((line) => / (notice|warning|error|crit): /.test(line)).join('\n') : '';
  }
}

/** Those of its daemons that run on a host. */
export function daemonsOf({ host }: Machine): string[] {
  const names = host.pids().map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]!.split('/').at(-1)!;
    } catch {
      return '';
    }
  });
  return daemons.filter((name) => names.includes(name));
}

export const allDaemons: readonly string[] = daemons;

/** What a command prints on a host; empty, if it fails. */
function said(machine: Machine, ...command: readonly string[]): Promise<string> {
  const child = machine.spawn(command, 'pipe');
  let text = '';
  child.stdout!.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr!.resume();
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}

/**
 * `off` is what a site says that has dlm, too: hosts stay off until somebody has looked. The short times are for a
 * controller that is dead, which Pacemaker asks on its own account as well.
 */
function configurationOf(devices: readonly Machine[]): string {
  const settings = { 'stonith-enabled': 'true', 'stonith-action': 'off', 'stonith-timeout': '5s', 'no-quorum-policy': 'stop', 'dc-deadtime': '2s', 'startup-fencing': 'false' };
  const properties = pairs('options', settings);
  return `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config><cluster_property_set id="options">${properties}</cluster_property_set></crm_config><nodes/>
<resources>${devices.map(deviceOf).join('\n')}</resources><constraints/></configuration><status/></cib>
`;
}

function deviceOf({ bmc, node }: Machine): string {
  const name = `bmc${node}`;
  const reached = Object.fromEntries(bmc!.parameters.split(' ').map((word) => word.split('=') as [string, string]));
  const parameters = pairs(name, { pcmk_host_list: `h${node}`, ...reached, password: bmcPassword, power_timeout: '2' });
  return `<primitive id="${name}" class="stonith" type="fence_ipmilan"><instance_attributes id="${name}-parameters">${parameters}</instance_attributes></primitive>`;
}

function pairs(id: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`).join('');
}
