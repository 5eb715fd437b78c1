/**
 * The mark that a protected command gives to all it starts: a variable of its environment,
 * with a word for each family that a process belongs to, the outermost first. Whoever
 * starts a command under a lock adds a word to those it has inherited, so that a command
 * within another one is known as part of both.
 *
 *   DLM_FAMILY="default:1.7.0000002a/1200.4711 default:1.7.0000002b/4733"
 *
 * says: in the family of 2a, whose command is process 4711, begun in session 1200, and within
 * that in the family of 2b, whose command is 4733 and leads a session. A process that is not
 * in the session of its last word has gone there on its own: it has left all of them.
 *
 * Of what stands in other variables, which scripts read and change, nothing follows.
 */
import { ancestorsOf, factsOf, variableOf } from './process-facts.js';

const variable = 'DLM_FAMILY';

/** An earlier version gave the id of the lock alone, and nothing was known of what runs under two. */
const earlierVariable = 'DLM_LKID';

/** So many families may be one inside the other. Beyond that the outermost are forgotten: commands that start one another for ever have ended there. */
const wordsMax = 64;

export interface FamilyWord {
  /** The id of a lock, as a rule. Other nodes of this machine may have the same, for another command. */
  readonly mark: string;
  /** Where its command was begun; null: that is not said. */
  readonly session: number | null;
  /** The process of the command; null: that is not said. */
  readonly root: number | null;
}

/**
 * What a command that we start finds in its environment. Only its own process knows its pid: before it
 * becomes the command it must carry out `sayRoot`. `leadsSession`: or else it shares ours.
 */
export function familyEnvironment(mark: string, leadsSession: boolean): NodeJS.ProcessEnv {
  const session = factsOf(process.pid)?.session ?? 0;
  const inherited = process.env[variable] || textAbove(session);
  const words = inherited.split(' ').filter((word) => word !== '');
  const isWhereItBegan = wordIn(words.at(-1) ?? '', process.pid).session === session;
  const outer = isWhereItBegan ? words.slice(1 - wordsMax) : [];
  return { [variable]: [...outer, `${mark}/${leadsSession ? '' : `${session}.`}`].join(' ') };
}

/** Whoever between a command and us has taken the environment away (sudo, env -i) has not left the session: what the next one above him was given holds for us. */
function textAbove(session: number): string {
  for (const pid of ancestorsOf(process.pid).slice(1)) {
    if (factsOf(pid)?.session !== session) break;
    const text = variableOf(pid, variable);
    // One that is still to say its own pid has started nobody.
    if (text !== null && /\d$/.test(text)) return text;
  }
  return '';
}

/** A line for the shell that is to become the command. */
export const sayRoot = `${variable}="$${variable}$$"`;

/** The families that a process was started in; `not known`: that cannot be seen now; `not shown`: nor later. */
export function familyWordsOf(pid: number): FamilyWord[] | 'not known' | 'not shown' {
  const text = variableOf(pid, variable);
  if (text === 'not known' || text === 'not shown') return text;
  if (text !== null) return text.split(' ').map((word) => wordIn(word, pid));
  const mark = variableOf(pid, earlierVariable);
  if (mark === 'not known' || mark === 'not shown') return mark;
  return mark === null ? [] : [{ mark, session: null, root: null }];
}

/** Is that the word of the family with this mark and this root? */
export function isWordOf(word: FamilyWord, family: { readonly mark: string; readonly pid: number }): boolean {
  return word.mark === family.mark && (word.root === null || word.root === family.pid);
}

/** What is still missing in a word is what the process that has it will say: its own pid. */
function wordIn(word: string, pid: number): FamilyWord {
  const [mark, place] = word.split('/') as [string, string?];
  const numbers = (place ?? '').split('.').map((number) => (number === '' ? pid : Number(number)));
  return place === undefined ? { mark, session: null, root: null } : { mark, session: numbers[0]!, root: numbers.at(-1)! };
}
