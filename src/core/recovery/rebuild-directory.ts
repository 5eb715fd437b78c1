/**
 * The directory is made anew: every master tells each member the names whose part of
 * the directory that member has.
 *
 * Kin: dir.c dlm_recover_directory(), dlm_copy_master_names().
 */
import type { NodeId } from '../base/ids.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';
import type { Names } from '../wire/message.js';
import { ByNode, type Errands } from './errands.js';

export function tellNames(tables: Tables, errands: Errands): void {
  if (tables.config.nodir || tables.members.isAlone) return;
  const { members } = tables;
  const elsewhere = new ByNode<Resource>();
  tables.resources.each((resource) => {
    if (!tables.isMasterOf(resource)) return;
    const directory = members.directoryOf(resource.name);
    if (directory !== tables.self) elsewhere.add(directory, resource);
  });
  for (const [node, resources] of elsewhere.batches()) {
    const batch = errands.begin(() => {});
    const names = resources.map(({ name }) => name);
    const masterships = resources.map(({ mastership }) => mastership);
    tables.send(node, { kind: 'names', lockspace: tables.id, seq: tables.seq, batch, names, masterships });
  }
}

export function receiveNames(tables: Tables, from: NodeId, { batch, names, masterships }: Names): void {
  for (const [place, name] of names.entries()) tables.directory.set(name, from, masterships[place]!);
  tables.send(from, { kind: 'namesReply', lockspace: tables.id, seq: tables.seq, batch });
}
