/**
 * What is right in each cell of the kill matrix: the exit code that the script's
 * caller sees, whether the script's critical section comes to its end, and why.
 *
 * The codes are of the script, which ends with the code of its dlm command, or of
 * the signal that ended the script itself: 143 is TERM, 137 KILL.
 */
export const states = ['waiting', 'granted', 'converting', 'converting by id'] as const;
export const victims = ['command', 'child', 'node', 'shell', 'command and node', 'all'] as const;
export const kinds = ['TERM', 'KILL', 'STOP, CONT'] as const;

export type State = (typeof states)[number];
export type Victim = (typeof victims)[number];
export type Kind = (typeof kinds)[number];

/** The section runs to its end, is cut short, or never begins. */
export type Section = 'whole' | 'cut' | 'none';

interface Row {
  readonly TERM: readonly [number, Section];
  readonly KILL: readonly [number, Section];
  readonly why: string;
}

const table: Readonly<Record<State, Readonly<Record<Victim, Row>>>> = {
  waiting: {
    command: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'the request goes with the command' },
    child: { TERM: [0, 'whole'], KILL: [0, 'whole'], why: 'it is the child of the one who holds: its lock is free, and ours comes' },
    node: { TERM: [0, 'whole'], KILL: [95, 'none'], why: 'asked to leave it serves those who wait; killed, it answers nobody' },
    shell: { TERM: [143, 'whole'], KILL: [137, 'whole'], why: 'dlm is a program like others: it outlives the shell and does its work' },
    'command and node': { TERM: [143, 'none'], KILL: [137, 'none'], why: 'as with the command alone' },
    all: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'nobody is left to do anything' },
  },
  granted: {
    command: { TERM: [143, 'cut'], KILL: [137, 'cut'], why: 'TERM is passed on, and the child ends of it; after KILL the child is stopped' },
    child: { TERM: [143, 'cut'], KILL: [137, 'cut'], why: 'the command ends as its child did' },
    node: { TERM: [0, 'whole'], KILL: [84, 'cut'], why: 'asked to leave it waits; killed, the lock is lost and the child is stopped' },
    shell: { TERM: [143, 'whole'], KILL: [137, 'whole'], why: 'the command and its child go on without the shell' },
    'command and node': { TERM: [143, 'cut'], KILL: [137, 'cut'], why: 'the parent-death signal, or the next node, stops the child' },
    all: { TERM: [143, 'cut'], KILL: [137, 'cut'], why: 'nobody is left to do anything' },
  },
  converting: {
    command: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'the child is stopped before its conversion is granted' },
    child: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'the command ends as its child did, whatever its lock waits for' },
    node: { TERM: [0, 'whole'], KILL: [84, 'none'], why: 'asked to leave it serves those who wait; killed, the lock is lost' },
    shell: { TERM: [143, 'whole'], KILL: [137, 'whole'], why: 'the command and its child go on without the shell' },
    'command and node': { TERM: [143, 'none'], KILL: [137, 'none'], why: 'the parent-death signal, or the next node, stops the child' },
    all: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'nobody is left to do anything' },
  },
  'converting by id': {
    command: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'the conversion goes with the command that asked for it; the script ends then' },
    child: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'it is the owner: its lock ends with it, and the conversion too' },
    node: { TERM: [0, 'whole'], KILL: [84, 'none'], why: 'what was held is lost, and the script must hear of it' },
    shell: { TERM: [143, 'whole'], KILL: [137, 'whole'], why: 'the owner is the script it started, and that goes on' },
    'command and node': { TERM: [143, 'none'], KILL: [137, 'none'], why: 'the script ends with its command' },
    all: { TERM: [143, 'none'], KILL: [137, 'none'], why: 'nobody is left to do anything' },
  },
};

export interface Cell {
  readonly state: State;
  readonly victim: Victim;
  readonly kind: Kind;
  readonly exit: number;
  readonly section: Section;
  readonly why: string;
}

export const cells: readonly Cell[] = states.flatMap((state) =>
  victims.flatMap((victim) =>
    kinds.map((kind) => {
      const { why, ...row } = table[state][victim];
      if (kind === 'STOP, CONT') return { state, victim, kind, exit: 0, section: 'whole', why: 'who was only held up goes on' };
      const [exit, section] = row[kind];
      return { state, victim, kind, exit, section, why };
    }),
  ),
);
