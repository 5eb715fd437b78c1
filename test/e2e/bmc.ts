/**
 * Board management controllers for hosts that are no machines: an ipmi_sim for each, whose
 * chassis is a shell script that ends and starts what stands for the host.
 *
 * Fence agents reach them over the network as they reach real ones. A host is whatever
 * its three commands say: a process, or all processes of a network namespace.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { needs } from './install.js';

/** Shell commands about one host. They must return within two seconds, or the request is repeated. */
export interface BmcHost {
  readonly name: string;
  /** Where its controller listens (UDP). */
  readonly port: number;
  readonly address?: string;
  /** Succeeds if the host is on. */
  readonly isOn: string;
  readonly off: string;
  readonly on: string;
  /** What to run the controller in, as in: ip netns exec NAME. */
  readonly inside?: readonly string[];
}

export const bmcUser = 'fence';
export const bmcPassword = 's3cret-bmc';

const patienceMillis = 10_000;
const lookMillis = 20;

export class Bmc {
  readonly host: BmcHost;
  readonly #process: ChildProcess;
  readonly #folder: string;

  constructor(host: BmcHost, process: ChildProcess, folder: string) {
    this.host = host;
    this.#process = process;
    this.#folder = folder;
  }

  /** For a device line: how fence_ipmilan reaches it, but for the password. */
  get parameters(): string {
    return `ip=${this.host.address ?? '127.0.0.1'} ipport=${this.host.port} lanplus=1 username=${bmcUser} cipher=3 power_wait=0`;
  }

  /** What the chassis was told to do, in order: `set power 0`. */
  get orders(): string[] {
    return readFileSync(join(this.#folder, 'orders'), 'utf8').split('\n').filter((line) => line !== '');
  }

  /** It listens and does not answer. */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  /** It answers again. */
  thaw(): void {
    this.#process.kill('SIGCONT');
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}

/** One for each host, all of them listening. `folder` is theirs. */
export async function startBmcs(folder: string, hosts: readonly BmcHost[]): Promise<Bmc[]> {
  needs('openipmi', 'ipmitool');
  return Promise.all(hosts.map((host) => startBmc(resolve(folder, `bmc-${host.name}`), host)));
}

async function startBmc(folder: string, host: BmcHost): Promise<Bmc> {
  mkdirSync(join(folder, 'state'), { recursive: true });
  const chassis = join(folder, 'chassis.sh');
  writeFileSync(join(folder, 'orders'), '');
  writeFileSync(chassis, chassisOf(folder, host));
  chmodSync(chassis, 0o755);
  writeFileSync(join(folder, 'lan.conf'), lanOf(chassis, host), { mode: 0o600 });
  writeFileSync(join(folder, 'sim.cmd'), controllerCommands);
  const [program = 'ipmi_sim', ...words] = [...(host.inside ?? []), 'ipmi_sim', '-n', '-c', 'lan.conf', '-f', 'sim.cmd', '-s', 'state'];
  const child = spawn(program, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const deadline = Date.now() + patienceMillis;
  while (!listens(child.pid!, host.port)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the controller of ${host.name} does not listen on port ${host.port}: ${said}`);
    await pause(lookMillis);
  }
  return new Bmc(host, child, folder);
}

/** The system's list of UDP sockets, of the network namespace that the process is in. */
function listens(pid: number, port: number): boolean {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  try {
    return ['udp', 'udp6'].some((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').includes(hex));
  } catch {
    return false;
  }
}

function chassisOf(folder: string, { isOn, off, on }: BmcHost): string {
  return `#!/bin/sh
# What the controller does with the power: get power, set power 0, set power 1, set reset 1.
is_on() { ${isOn}
}
turn_off() { ${off}
}
turn_on() { ${on}
}
[ "$1" = get ] || echo "$*" >> '${folder}/orders'
case "$*" in
  'get power') if is_on; then echo power:1; else echo power:0; fi ;;
  'set power 0'*) turn_off ;;
  'set power 1'*) is_on || turn_on ;;
  'set reset'*) turn_off; turn_on ;;
  *) exit 1 ;;
esac >&1 2>> '${folder}/errors'
exit 0
`;
}

function lanOf(chassis: string, { name, port, address = '127.0.0.1' }: BmcHost): string {
  return `name "${name}"
set_working_mc 0x20
  startlan 1
    addr ${address} ${port}
    priv_limit admin
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${chassis}"
  user 2 true "${bmcUser}" "${bmcPassword}" admin 10 none md2 md5 straight
`;
}

const controllerCommands = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
`;
