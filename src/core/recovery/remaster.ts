/**
 * Resources whose master is gone get a new one: the first who asks the directory.
 *
 * Kin: recover.c dlm_recover_masters(); rcom.c receive_rcom_lookup().
 */
import type { NodeId } from '../base/ids.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';
import type { MasterLookup, MasterLookupReply } from '../wire/message.js';
import { inBatches, type Errands } from './errands.js';

/** Returns, through `found`, each resource that this node is master of from now on. */
export function findMasters(tables: Tables, errands: Errands, found: (resource: Resource) => void): void {
  const { members } = tables;
  const homeless = [...tables.resources].filter(({ home }) => home.master === null).filter(isToBeRebuilt);
  const isElsewhere = ({ name }: Resource): boolean => members.directoryOf(name) !== tables.self && !tables.config.nodir;

  for (const resource of homeless) {
    if (isElsewhere(resource)) continue;
    tables.findHome(resource);
    if (tables.isMasterOf(resource)) found(resource);
  }
  for (const [node, resources] of inBatches(homeless.filter(isElsewhere), ({ name }) => members.directoryOf(name))) {
    const batch = errands.begin(({ masters, masterships }: MasterLookupReply) => {
      for (const [place, resource] of resources.entries()) {
        if (masters[place] !== tables.self) resource.home = tables.homeAt(masters[place]!);
        else {
          tables.becomeMaster(resource, masterships[place]!);
          found(resource);
        }
      }
    });
    tables.send(node, { kind: 'masterLookup', lockspace: tables.id, seq: tables.seq, batch, names: resources.map(({ name }) => name) });
  }
}

/** Is there a lock on it that the old master knew? What it has not answered will be asked again anyway. */
function isToBeRebuilt(resource: Resource): boolean {
  return resource.allLocks().some(({ place }) => place !== 'asked');
}

export function receiveMasterLookup(tables: Tables, from: NodeId, { batch, names }: MasterLookup): void {
  const masters: NodeId[] = [];
  const masterships: number[] = [];
  for (const name of names) {
    const resource = tables.resources.known(name);
    const isHere = resource !== null && tables.isMasterOf(resource);
    let entry = tables.directory.get(name);
    if (!isHere && entry === null) {
      tables.directory.set(name, from, tables.numbers.nextMastership());
      entry = tables.directory.get(name);
    }
    masters.push(isHere ? tables.self : entry!.master);
    masterships.push(isHere ? resource.mastership : entry!.mastership);
  }
  tables.send(from, { kind: 'masterLookupReply', lockspace: tables.id, seq: tables.seq, batch, masters, masterships });
}
