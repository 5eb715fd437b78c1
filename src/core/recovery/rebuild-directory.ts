/**
 * The directory is made anew: every master tells each member the names whose part of
 * the directory that member has.
 *
 * Whoever has told a member before, without a quorum, what was given back asks that one
 * too, if it has no names for it: the answer says that the word is there, which was before
 * it on the same connection.
 *
 * Kin: dir.c dlm_recover_directory(), dlm_copy_master_names().
 */
import type { NodeId } from '../base/ids.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';
import type { Names } from '../wire/message.js';
import { ByNode, type Errands } from './errands.js';

export function tellNames(tables: Tables, errands: Errands): void {
  const { members, toldAlone } = tables;
  if (members.isAlone) return;
  const elsewhere = new ByNode<Resource>();
  if (!tables.config.nodir) {
    tables.resources.each((resource) => {
      if (!tables.isMasterOf(resource)) return;
      const directory = members.directoryOf(resource.name);
      if (directory !== tables.self) elsewhere.add(directory, resource);
    });
  }
  const untold = new Set(toldAlone);
  for (const [node, resources] of elsewhere.batches()) {
    untold.delete(node);
    tell(tables, errands, node, resources);
  }
  for (const node of members.nodes) if (untold.has(node)) tell(tables, errands, node, []);
}

function tell(tables: Tables, errands: Errands, node: NodeId, resources: readonly Resource[]): void {
  const send = (batch: number): void => {
    const names = resources.map(({ name }) => name);
    const masterships = resources.map(({ mastership }) => mastership);
    tables.send(node, { kind: 'names', lockspace: tables.id, seq: tables.seq, batch, names, masterships });
  };
  errands.ask(node, send, () => {});
}

export function receiveNames(tables: Tables, from: NodeId, { batch, names, masterships }: Names): void {
  for (const [place, name] of names.entries()) tables.directory.set(name, from, masterships[place]!);
  tables.send(from, { kind: 'namesReply', lockspace: tables.id, seq: tables.seq, batch });
}
