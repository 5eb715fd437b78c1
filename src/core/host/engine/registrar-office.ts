/**
 * Being the registrar: the kernel's lock, the journal, the socket, and a direct line
 * for our own node, taken up and laid down together and in the right order.
 *
 * The lock comes first and goes last, since it is what allows to touch the rest.
 */
import type { KernelLock } from '../kernel-lock.js';
import { bootId, isAlive, pidNamespace, type ProcessId } from '../process-facts.js';
import type { ClusterPlaces } from './cluster-places.js';
import { RegistrarDoor } from './registrar-door.js';
import { parseFromMember, type Hearer, type ToRegistrar } from './registrar-protocol.js';
import { Registrar } from './registrar.js';
import { ViewJournal } from './view-journal.js';

export class RegistrarOffice {
  readonly #lock: KernelLock;
  readonly #registrar: Registrar;
  readonly #door: RegistrarDoor;

  private constructor(lock: KernelLock, registrar: Registrar, door: RegistrarDoor) {
    this.#lock = lock;
    this.#registrar = registrar;
    this.#door = door;
  }

  /** Is there a cluster whose members live, though nobody is registrar at the moment? To be asked by the holder of the lock. */
  static hasMembers(places: ClusterPlaces): boolean {
    const journal = ViewJournal.open(places.journal, { boot: bootId(), pidns: pidNamespace() });
    journal.close();
    return journal.last.members.some(isAlive);
  }

  /** The lock is let go if it cannot be. Rejects with `DLM_STATE_UNUSABLE` or `DLM_NOT_PERMITTED`. */
  static async open(
    places: ClusterPlaces,
    lock: KernelLock,
    isOver: (process: ProcessId) => boolean,
    log: (line: string) => void,
  ): Promise<RegistrarOffice> {
    let registrar: Registrar | null = null;
    try {
      lock.note(`${process.pid}\n`);
      const home = { boot: bootId(), pidns: pidNamespace() };
      registrar = new Registrar(ViewJournal.open(places.journal, home), home, () => lock.isInPlace, isOver, log);
      return new RegistrarOffice(lock, registrar, await RegistrarDoor.open(registrar, places.socket));
    } catch (error) {
      registrar?.close();
      lock.release();
      throw error;
    }
  }

  /** Does the lock still exclude others, and can members still find us? */
  get isInPlace(): boolean {
    return this.#lock.isInPlace && this.#door.isInPlace;
  }

  /** The line of the node in our own process. */
  line(hearer: Hearer): ToRegistrar {
    const desk = this.#registrar.welcome({
      tell: (message) => {
        hearer.hear(message);
        return true;
      },
      end: () => hearer.gone(),
    });
    return {
      // Judged like anybody else's, since it is written down for our successors.
      tell: (message) => this.#registrar.hear(desk, parseFromMember(Buffer.from(JSON.stringify(message)))),
      end: () => this.#registrar.gone(desk),
    };
  }

  /** Hang up on everybody; they look for a registrar again. */
  close(): void {
    this.#registrar.close();
    this.#door.close();
    this.#lock.release();
  }
}
