/**
 * Where this lock manager chooses to differ from the kernel's.
 *
 * Each choice is a switch of the lockspace. With all of them off every answer is
 * the kernel's, which the recordings in test/conformance prove; with the
 * defaults each difference has a reason, given in docs/differences.md.
 */
export interface Law {
  /** A persistent lock stays so until it is unlocked; a conversion need not say it again. */
  readonly persistentStays: boolean;
  /** A persistent request still waiting when its owner ends leaves nothing behind. */
  readonly waitingOrphanEnds: boolean;
  /** What an owner who ends waited for with a persistent lock is taken back before his other locks end, which might grant it. */
  readonly waitsEndFirst: boolean;
  /** Cancelling again what was already cancelled is as quiet as cancelling nothing. */
  readonly cancelAgainIsQuiet: boolean;
  /** A CW that the same pass has granted no longer counts as blocked. */
  readonly blockedCwIsFresh: boolean;
  /** Holders also hear of a conversion that waits in a deadlock of its own will. */
  readonly deadlockedIsTold: boolean;
  /** A queued conversion granted in the mode it already holds is done, and stands among the granted again. */
  readonly grantLeavesConvertQueue: boolean;
  /** A queued conversion that nothing keeps but its place behind one that waits for it, is granted. */
  readonly placeIsNoDeadlock: boolean;
  /** The queues are looked over also after a request that was let past those who wait, a call that came to stand before them, and a conversion that gave up its mode. */
  readonly arrivalIsFollowed: boolean;
  /** Those who wait keep their order when the master of the resource is lost. */
  readonly orderSurvives: boolean;
  /** A conversion between PR and CW that a lost master has not answered is asked again, in the mode the lock has. */
  readonly middleIsResent: boolean;
  /** A holder elsewhere learns that its conversion was granted at once in an alternative mode; one that was to read writes nothing by it. */
  readonly alternativeIsTold: boolean;
  /** When a value is made anew of the holders' copies, only what was really read or written is one. */
  readonly copiesAreKnown: boolean;
  /** Whoever adopts an orphan may not ask for what no lock call may ask for. */
  readonly adoptionIsChecked: boolean;
  /** Whoever adopts an orphan hears what the orphan was told while nobody could hear it: that others wait. */
  readonly adopterIsTold: boolean;
}

/** The kernel's law, to the letter. */
export const kernelLaw: Law = {
  persistentStays: false,
  waitingOrphanEnds: false,
  waitsEndFirst: false,
  cancelAgainIsQuiet: false,
  blockedCwIsFresh: false,
  deadlockedIsTold: false,
  grantLeavesConvertQueue: false,
  placeIsNoDeadlock: false,
  arrivalIsFollowed: false,
  orderSurvives: false,
  middleIsResent: false,
  alternativeIsTold: false,
  copiesAreKnown: false,
  adoptionIsChecked: false,
  adopterIsTold: false,
};

/** The project's law. */
export const defaultLaw: Law = {
  persistentStays: true,
  waitingOrphanEnds: true,
  waitsEndFirst: true,
  cancelAgainIsQuiet: true,
  blockedCwIsFresh: true,
  deadlockedIsTold: true,
  grantLeavesConvertQueue: true,
  placeIsNoDeadlock: true,
  arrivalIsFollowed: true,
  orderSurvives: true,
  middleIsResent: true,
  alternativeIsTold: true,
  copiesAreKnown: true,
  adoptionIsChecked: true,
  adopterIsTold: true,
};

/**
 * Where applications suspend, no mode is guessed. It would count as held, and a conversion to it take nothing: so it would
 * pass what the dead may have left half-written, before that is put in order. The kernel has no such gate to be passed.
 */
export function lawWithGate(law: Law): Law {
  return { ...law, middleIsResent: true };
}
