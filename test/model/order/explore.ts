/**
 * Breadth first through everything that can happen, so that the first trace that ends
 * badly is a shortest one.
 *
 * It knows nothing of what is modelled: a model gives its first states, a key for each
 * state, what can happen next, and what is wrong with a state, if anything is. It keeps
 * the keys of all states and the states of the frontier.
 */

export interface Model<State> {
  readonly first: readonly State[];
  key(state: State): string;
  /** Call `visit` with each thing that can happen and the state it leads to. Does any of it bring things forward? */
  each(state: State, visit: (what: string, next: State) => void): boolean;
  /** What is wrong here? */
  wrong(state: State): string | null;
  /** And if nothing can happen here that brings anything forward? */
  wrongAtRest(state: State): string | null;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Were there more states than were allowed? */
  readonly isCut: boolean;
  /** What was wrong, and what happened before, from the beginning. */
  readonly wrong: string | null;
  readonly trace: readonly string[];
}

export function explore<State>(model: Model<State>, statesMax: number): Exploration {
  const seen = new Set<string>();
  const parents: number[] = [];
  const labels: string[] = [];
  let frontier: [number, State][] = [];
  let transitions = 0;

  const traceTo = (place: number): string[] => {
    const trace: string[] = [];
    for (let at = place; at >= 0; at = parents[at]!) trace.unshift(labels[at]!);
    return trace.slice(1);
  };
  const end = (wrong: string | null, place: number, isCut = false): Exploration => {
    const trace = wrong === null ? [] : traceTo(place);
    return { states: parents.length, transitions, isCut, wrong, trace };
  };
  const add = (state: State, parent: number, label: string, into: [number, State][]): number => {
    const key = model.key(state);
    if (seen.has(key)) return -1;
    seen.add(key);
    parents.push(parent);
    labels.push(label);
    into.push([parents.length - 1, state]);
    return parents.length - 1;
  };

  for (const state of model.first) add(state, -1, '', frontier);
  while (frontier.length > 0) {
    const next: [number, State][] = [];
    for (const [place, state] of frontier) {
      const wrong = model.wrong(state);
      if (wrong !== null) return end(wrong, place);
      const goesOn = model.each(state, (what, after) => {
        transitions += 1;
        add(after, place, what, next);
      });
      const isStuck = goesOn ? null : model.wrongAtRest(state);
      if (isStuck !== null) return end(isStuck, place);
      if (parents.length > statesMax) return end(null, place, true);
    }
    frontier = next;
  }
  return end(null, 0);
}
