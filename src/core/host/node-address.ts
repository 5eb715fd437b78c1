/**
 * Where a node link is to be reached: `tcp:HOST:PORT` or `unix:PATH`.
 *
 * Asked by whoever listens and whoever dials. Here is also decided what counts as leaving
 * the machine: everything but Unix sockets and the loopback addresses. A name other than
 * localhost counts as leaving it, wherever it leads.
 */
import { DlmError } from '../base/errors.js';

export type NodeAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Throws `DLM_USAGE`. An IPv6 address stands in brackets. */
export function parseNodeAddress(text: string): NodeAddress {
  if (text.startsWith('unix:') && text.length > 'unix:'.length) return { kind: 'unix', path: text.slice('unix:'.length) };
  const match = /^tcp:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new DlmError('DLM_USAGE', `'${text}' is no address of a node`, 'write tcp:HOST:PORT, tcp:[IPV6]:PORT or unix:PATH');
  }
  return { kind: 'tcp', host: (match[1] ?? match[2])!, port };
}

export function printNodeAddress(address: NodeAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `tcp:[${address.host}]:${address.port}` : `tcp:${address.host}:${address.port}`;
}

/** Does whatever is sent there stay on this machine? */
export function staysHere(address: NodeAddress): boolean {
  if (address.kind === 'unix') return true;
  return address.host === 'localhost' || address.host === '::1' || /^127(\.\d{1,3}){3}$/.test(address.host);
}
