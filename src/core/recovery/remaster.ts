/**
 * Resources whose master is gone get a new one: the first who asks the directory.
 *
 * Kin: recover.c dlm_recover_masters(); rcom.c receive_rcom_lookup().
 */
import type { NodeId } from '../base/ids.js';
import type { Lock } from '../lock/lock.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';
import type { MasterLookup, MasterLookupReply } from '../wire/message.js';
import { ByNode, type Errands } from './errands.js';

/** Returns, through `found`, each resource that this node is master of from now on. */
export function findMasters(tables: Tables, errands: Errands, found: (resource: Resource) => void): void {
  const { members } = tables;
  const elsewhere = new ByNode<Resource>();

  tables.resources.each((resource) => {
    if (resource.home.master !== null || !isToBeRebuilt(resource)) return;
    const directory = members.directoryOf(resource.name);
    if (directory !== tables.self && !tables.config.nodir) {
      elsewhere.add(directory, resource);
      return;
    }
    tables.findHome(resource);
    if (tables.isMasterOf(resource)) found(resource);
  });
  for (const [node, resources] of elsewhere.batches()) {
    const send = (batch: number): void => {
      tables.send(node, { kind: 'masterLookup', lockspace: tables.id, seq: tables.seq, batch, names: resources.map(({ name }) => name) });
    };
    errands.ask(node, send, ({ masters, masterships }: MasterLookupReply) => {
      for (const [place, resource] of resources.entries()) {
        if (masters[place] !== tables.self) resource.home = tables.homeAt(masters[place]!);
        else {
          tables.becomeMaster(resource, masterships[place]!);
          found(resource);
        }
      }
    });
  }
}

/** Is there a lock on it that the old master knew? What it has not answered will be asked again anyway. */
function isToBeRebuilt(resource: Resource): boolean {
  return resource.findLock(hasBeenAnswered) !== null;
}

const hasBeenAnswered = ({ place }: Lock): boolean => place !== 'asked';

export function receiveMasterLookup(tables: Tables, from: NodeId, { batch, names }: MasterLookup): void {
  const masters: NodeId[] = [];
  const masterships: number[] = [];
  for (const name of names) {
    const resource = tables.resources.known(name);
    if (resource !== null && tables.isMasterOf(resource)) {
      masters.push(tables.self);
      masterships.push(resource.mastership);
      continue;
    }
    const entry = tables.directory.get(name) ?? tables.directory.set(name, from, tables.numbers.nextMastership());
    masters.push(entry.master);
    masterships.push(entry.mastership);
  }
  tables.send(from, { kind: 'masterLookupReply', lockspace: tables.id, seq: tables.seq, batch, masters, masterships });
}
