/**
 * A naive lock manager, written from the rules and from nothing else: one list of
 * claims, each with its place and rank, and everything looked up anew every time.
 *
 * It shares with the real one the names of modes and flags and the switches of the
 * law. Which rule decided, it counts.
 */
import type { Law } from '../../src/core/lock/law.js';
import type { Call } from './script.js';

const compatible: Record<string, string> = {
  NL: 'NL CR CW PR PW EX', CR: 'NL CR CW PR PW', CW: 'NL CR CW', PR: 'NL CR PR', PW: 'NL CR', EX: 'NL',
};
const transfers: Record<string, string> = {
  '': 'RRRRRR', NL: 'RRRRRR', CR: '-RRRRR', CW: '--RRRR', PR: '---RRR', PW: 'WWWWWR', EX: 'WWWWWW',
};
const queueable: Record<string, string> = {
  NL: 'CR CW PR PW EX', CR: 'CW PR PW EX', CW: 'PR PW EX', PR: 'CW PW EX', PW: 'EX', EX: '',
};
const modes = ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'];
const rankOf = (mode: string): number => modes.indexOf(mode);
/** What somebody who holds `mode` heard when it was told of that rank: to PR a CW counts as PR. */
const asHeard = (mode: string, told: number): string => (mode === 'PR' && told === 3 ? 'CW' : modes[told]!);
/** Can these be held side by side? No mode ('') is in nobody's way. */
const fit = (held: string, asked: string): boolean => held === '' || asked === '' || compatible[held]!.includes(asked);
const arePrAndCw = (one: string, other: string): boolean => (one + other === 'PRCW') || (one + other === 'CWPR');

export interface Claim {
  label: string;
  /** Null: an orphan. */
  owner: number | null;
  /** Its owner is just ending. */
  isDying: boolean;
  resource: string;
  place: 'granted' | 'converting' | 'waiting' | 'nowhere';
  rank: number;
  held: string;
  asked: string;
  flags: readonly string[];
  results: Set<string>;
  copy: string | null;
  told: number;
  /** The mode of its latest completion. */
  completed: string;
}

interface Value {
  text: string | null;
  isInvalid: boolean;
}

export interface Callback {
  readonly label: string;
  readonly text: string;
  readonly blocks: string;
  readonly isHeard: boolean;
}

export class Oracle {
  claims: Claim[] = [];
  values: Record<string, Value> = { R: { text: null, isInvalid: false }, S: { text: null, isInvalid: false } };
  callbacks: Callback[] = [];
  readonly hits = new Map<string, number>();

  constructor(readonly law: Law) {}

  /** Carry out a call: null, or the code it is refused with. */
  perform(call: Call): string | null {
    this.callbacks = [];
    const { verb, owner, flags, value } = call;
    if (verb === 'lock') return this.#lock(call);
    if (verb === 'owner ends' || verb === 'owner purged') return this.#endOwner(owner, verb === 'owner ends');
    if (verb === 'orphans purged') return this.#endAll(this.claims.filter((claim) => claim.owner === null));
    if (verb === 'ten seconds pass') {
      for (const name in this.values) if (!this.isInUse(name)) this.values[name]!.isInvalid = false;
      return null;
    }
    const claim = this.claims.find(({ label }) => label === call.label);
    if (claim === undefined) return 'ENOENT';
    if (verb === 'convert') return this.#convert(claim, call);
    const isCancel = verb !== 'unlock' || flags.includes('CANCEL');
    const isStrange = flags.some((flag) => !['CANCEL', 'VALBLK', 'IVVALBLK', 'FORCEUNLOCK'].includes(flag));
    if (isStrange || (isCancel && flags.includes('FORCEUNLOCK'))) return 'EINVAL';
    return isCancel ? this.#cancel(claim, flags, verb === 'deadlock' ? 'EDEADLK' : 'ECANCEL') : this.#end(claim, flags, value);
  }

  /** The claims in one place of a resource, in order. */
  at(resource: string, place: Claim['place']): Claim[] {
    return this.claims.filter((claim) => claim.resource === resource && claim.place === place).sort((a, b) => a.rank - b.rank);
  }

  isInUse(resource: string): boolean {
    return this.claims.some((claim) => claim.resource === resource);
  }

  #hit(rule: string): true {
    this.hits.set(rule, (this.hits.get(rule) ?? 0) + 1);
    return true;
  }

  #lock({ label, owner, resource, mode, flags, value }: Call): string | null {
    const has = (flag: string): boolean => flags.includes(flag);
    const isWrong = has('CANCEL') || has('QUECVT') || has('CONVDEADLK') || (has('EXPEDITE') && (has('NOQUEUE') || mode !== 'NL'));
    if (isWrong && (!has('ORPHAN') || this.law.adoptionIsChecked)) return 'EINVAL';
    if (has('ORPHAN')) return this.#adopt(label, owner, resource, mode, flags);
    const claim: Claim = {
      label, owner, isDying: false, resource, place: 'nowhere', rank: 0, held: '', asked: mode, flags, results: new Set(), copy: value, told: -1, completed: '',
    };
    this.claims.push(claim);
    if (this.#judge(claim, true) !== 'yes') return this.#queueOrRefuse(claim, 'waiting');
    this.#grant(claim);
    return has('NOORDER') && this.law.arrivalIsFollowed ? this.#pass(resource) : null;
  }

  /** The oldest orphan of that name and mode: its place among the claims tells which that is. */
  #adopt(label: string, owner: number, resource: string, mode: string, flags: readonly string[]): string | null {
    const orphans = this.claims.filter((claim) => claim.owner === null && claim.resource === resource);
    const orphan = orphans.find((claim) => claim.held === mode);
    if (orphan === undefined) return orphans.length > 0 ? 'EAGAIN' : 'ENOENT';
    Object.assign(orphan, { label, owner, flags: this.law.persistentStays ? [...flags, 'PERSISTENT'] : flags });
    this.#toEnd(orphan);
    this.#note(orphan, `adopted ${mode}`);
    const heard = orphan.told < 0 ? '' : asHeard(mode, orphan.told);
    if (this.law.adopterIsTold && !fit(mode, heard) && this.#hit('told to an adopter')) this.#note(orphan, `blocks ${heard}`);
    return null;
  }

  #convert(claim: Claim, { mode, flags, value }: Call): string | null {
    const has = (flag: string): boolean => flags.includes(flag);
    if (has('CANCEL') || has('EXPEDITE') || (has('CONVDEADLK') && has('NOQUEUE'))) return 'EINVAL';
    if (claim.place !== 'granted') return 'EBUSY';
    if (has('QUECVT') && !(queueable[claim.held] ?? '').includes(mode)) return 'EINVAL';
    const stays = this.law.persistentStays && claim.flags.includes('PERSISTENT');
    Object.assign(claim, { asked: mode, flags: stays ? [...flags, 'PERSISTENT'] : flags, copy: value, results: new Set() });

    let verdict = this.#judge(claim, true);
    if (verdict === 'stuck' && !has('NODLCKWT')) {
      claim.asked = '';
      return this.#complete(claim, 'EDEADLK');
    }
    if (claim.results.has('DEMOTED')) {
      this.#walkConverters(claim.resource);
      if (this.#fits(claim, true)) verdict = 'yes';
    }
    if (verdict !== 'yes') return this.#queueOrRefuse(claim, 'converting');
    this.#grant(claim);
    return this.#pass(claim.resource);
  }

  #queueOrRefuse(claim: Claim, place: 'converting' | 'waiting'): null {
    const { resource, flags } = claim;
    const holders = this.at(resource, 'granted');
    if (!flags.includes('NOQUEUE')) {
      const others = [...this.at(resource, 'converting'), ...this.at(resource, 'waiting')].map(({ rank }) => rank);
      const isFirst = flags.includes('HEADQUE');
      Object.assign(claim, { place, rank: isFirst ? Math.min(0, ...others) - 1 : Math.max(0, ...others) + 1 });
      this.#note(claim, 'waits');
      this.#tell(claim, holders);
      const isFollowed = (isFirst && this.at(resource, place).length > 1) || claim.results.has('DEMOTED');
      return isFollowed && this.law.arrivalIsFollowed && this.#hit('followed, though it waits') ? this.#pass(resource) : null;
    }
    this.#complete(claim, 'EAGAIN');
    if (flags.includes('NOQUEUEBAST')) this.#tell(claim, [...holders, ...this.at(resource, 'converting')]);
    claim.asked = '';
    return place === 'waiting' ? this.#forget(claim) : null;
  }

  #end(claim: Claim, flags: readonly string[], value: string | null): null {
    Object.assign(claim, { flags: [...claim.flags, ...flags], copy: value, results: new Set() });
    if (claim.held === 'PW' || claim.held === 'EX') this.#write(claim);
    Object.assign(claim, { place: 'nowhere', held: '' });
    this.#complete(claim, 'EUNLOCK');
    this.#pass(claim.resource);
    return this.#forget(claim);
  }

  #cancel(claim: Claim, flags: readonly string[], status: string): string | null {
    if (claim.flags.includes('CANCEL') && !this.law.cancelAgainIsQuiet) return 'EINVAL';
    if (claim.place === 'granted') return null;
    Object.assign(claim, { flags: [...claim.flags, ...flags, 'CANCEL'], results: new Set() });
    const isRequest = claim.place !== 'converting';
    this.#takeBack(claim, status);
    return isRequest ? this.#forget(claim) : null;
  }

  #takeBack(claim: Claim, status: string): void {
    this.#fallBack(claim, status);
    this.#pass(claim.resource);
  }

  #fallBack(claim: Claim, status: string): void {
    Object.assign(claim, { place: claim.place === 'converting' ? 'granted' : 'nowhere', asked: '' });
    this.#complete(claim, status);
  }

  #endOwner(owner: number, mayOrphan: boolean): null {
    const mine = this.claims.filter((claim) => claim.owner === owner);
    for (const claim of mine) Object.assign(claim, { owner: null, isDying: true });
    const waits = ({ flags, place }: Claim): boolean => this.law.waitsEndFirst && mayOrphan && flags.includes('PERSISTENT') && place !== 'granted';
    const waiting = mine.filter(waits);
    // None of them may come of the end of another: nobody is let in before all are taken back.
    for (const claim of waiting) this.#leaveBehind(claim, false);
    for (const resource of new Set(waiting.map((claim) => claim.resource))) this.#pass(resource);
    for (const claim of mine.filter((one) => !waiting.includes(one))) {
      if (!mayOrphan || !claim.flags.includes('PERSISTENT')) this.#end(claim, ['IVVALBLK'], null);
      else this.#leaveBehind(claim, true);
    }
    for (const claim of mine) claim.isDying = false;
    return null;
  }

  #leaveBehind(claim: Claim, letsIn: boolean): void {
    const isWaiting = claim.place === 'waiting';
    if (claim.place !== 'granted' && letsIn) this.#takeBack(claim, 'ECANCEL');
    else if (claim.place !== 'granted') this.#fallBack(claim, 'ECANCEL');
    this.#toEnd(claim);
    if (isWaiting && this.law.waitingOrphanEnds && this.#hit('a waiting orphan ends')) this.#forget(claim);
  }

  #endAll(claims: readonly Claim[]): null {
    for (const claim of claims) this.#end(claim, ['IVVALBLK'], null);
    return null;
  }

  #toEnd(claim: Claim): void {
    this.claims = [...this.claims.filter((other) => other !== claim), claim];
  }

  #forget(claim: Claim): null {
    this.claims = this.claims.filter((other) => other !== claim);
    if (!this.isInUse(claim.resource)) this.values[claim.resource]!.text = null;
    return null;
  }

  #fits(claim: Claim, isNew: boolean): boolean {
    const [holders, converters, waiters] = (['granted', 'converting', 'waiting'] as const).map((place) => this.at(claim.resource, place));
    const isInTheWay = (other: Claim): boolean => other !== claim && !fit(other.held, claim.asked);
    const has = (flag: string): boolean => claim.flags.includes(flag);
    const converts = claim.held !== '';
    const nobodyConverts = converters!.length === 0;
    if (has('EXPEDITE')) return this.#hit('grant 1: EXPEDITE');
    if (holders!.some(isInTheWay)) return !this.#hit('grant 2: a holder is in the way');
    if (converters!.some(isInTheWay)) return !this.#hit('grant 3: a converter is in the way');
    if (isNew && converts && !has('QUECVT')) return this.#hit('grant 5: a conversion that fits');
    if (isNew && converts) return this.#hit(`grant 6: QUECVT${nobodyConverts ? '' : ' and others convert'}`) && nobodyConverts;
    if (has('NOORDER')) return this.#hit('grant 7: NOORDER');
    if (!isNew && converts && converters![0] === claim) return this.#hit('grant 8: the first converter');
    if (isNew && !converts && nobodyConverts && waiters!.length === 0) return this.#hit('grant 9: nobody queues');
    if (!isNew && !converts && nobodyConverts && waiters![0] === claim) return this.#hit('grant 10: the first waiter');
    return !this.#hit('grant 11: not its turn');
  }

  #judge(claim: Claim, isNew: boolean): 'yes' | 'no' | 'stuck' {
    if (this.#fits(claim, isNew)) return 'yes';
    const has = (flag: string): boolean => claim.flags.includes(flag);
    if (claim.held !== '' && !has('NOQUEUE') && this.#isStuck(claim)) {
      const others = [...this.at(claim.resource, 'granted'), ...this.at(claim.resource, 'converting')].filter((other) => other !== claim);
      const isFree = others.every((other) => fit(other.held, claim.asked));
      if (this.law.placeIsNoDeadlock && !isNew && isFree && !has('NODLCKWT') && !has('CONVDEADLK') && this.#hit('only its place was in the way')) return 'yes';
      if (!has('CONVDEADLK')) return 'stuck';
      claim.held = 'NL';
      claim.results.add('DEMOTED');
      return 'no';
    }
    const wanted = claim.asked;
    const other = has('ALTPR') && wanted !== 'PR' ? 'PR' : has('ALTCW') && wanted !== 'CW' ? 'CW' : null;
    claim.asked = other ?? wanted;
    if (other !== null && this.#fits(claim, isNew)) {
      claim.results.add('ALTMODE');
      return 'yes';
    }
    claim.asked = wanted;
    return 'no';
  }

  /** Would it wait for one who waits for it? One ahead counts as waited for, whatever it asks. */
  #isStuck(claim: Claim): boolean {
    const converters = this.at(claim.resource, 'converting');
    const place = converters.includes(claim) ? converters.indexOf(claim) : converters.length;
    const blocked = converters.filter((other) => other !== claim && !fit(claim.held, other.asked));
    if (blocked.some((other) => converters.indexOf(other) < place)) return this.#hit('deadlock with one ahead');
    return blocked.some((other) => !fit(other.held, claim.asked)) && this.#hit('deadlock with one behind');
  }

  #grant(claim: Claim): void {
    const given = this.#transfer(claim);
    const isSame = claim.held === claim.asked;
    if (isSame && claim.place === 'converting') this.#hit('granted in the mode it held');
    if (!isSame || this.law.grantLeavesConvertQueue) claim.place = 'granted';
    Object.assign(claim, { held: claim.asked, asked: '', told: -1 });
    this.#complete(claim, 'OK', given);
  }

  #transfer(claim: Claim): string | null {
    const value = this.values[claim.resource]!;
    // Whoever holds PW and asked for EX was to read.
    const isToRead = this.law.alternativeIsTold && claim.held === 'PW' && claim.results.has('ALTMODE');
    const cell = isToRead ? 'R' : transfers[claim.held]![rankOf(claim.asked)];
    if (cell === 'R' && (!claim.flags.includes('VALBLK') || claim.copy === null || value.text === null)) return null;
    if (cell === 'W' && !this.#write(claim)) return null;
    if (value.isInvalid) claim.results.add('VALNOTVALID');
    if (cell !== 'R') return null;
    this.#hit('value read');
    return (claim.copy = value.text);
  }

  #write(claim: Claim): boolean {
    const value = this.values[claim.resource]!;
    if (claim.flags.includes('IVVALBLK')) return !(value.isInvalid = this.#hit('value invalidated'));
    if (!claim.flags.includes('VALBLK') || claim.copy === null) return false;
    Object.assign(value, { text: claim.copy, isInvalid: false });
    return this.#hit('value written');
  }

  /** Grant what can be granted, then tell the holders of the highest that cannot. */
  #pass(resource: string): null {
    const { asked, sawCw } = this.#walkConverters(resource);
    for (const claim of this.at(resource, 'waiting')) {
      if (this.#judge(claim, false) === 'yes') this.#grant(claim);
      else asked.push(claim.asked);
    }
    const high = Math.max(-1, ...asked.map(rankOf));
    const highest = asked.find((mode) => rankOf(mode) === high) ?? '';
    for (const holder of high < 0 ? [] : this.at(resource, 'granted')) {
      const isPrBeforeCw = holder.held === 'PR' && (sawCw || asked.includes('CW'));
      if (isPrBeforeCw ? holder.told >= 5 : holder.told >= high || fit(holder.held, highest)) continue;
      this.#hit(`told after a pass${isPrBeforeCw ? ', PR of CW' : ''}`);
      this.#block(holder, isPrBeforeCw && highest === 'PR' ? 'CW' : highest, high);
    }
    return null;
  }

  /** Walk until a walk grants nobody; once more, but once only, if it demoted somebody. */
  #walkConverters(resource: string): { asked: string[]; sawCw: boolean } {
    let sawCw = false;
    let mayRepeat = true;
    for (;;) {
      const asked: string[] = [];
      let outcome = '';
      for (const claim of this.at(resource, 'converting')) {
        const wasDemoted = claim.results.has('DEMOTED');
        const verdict = this.#judge(claim, false);
        if (verdict === 'yes') {
          this.#grant(claim);
          outcome = 'granted';
        } else if (!wasDemoted && claim.results.has('DEMOTED') && this.#hit('demoted in a pass')) outcome ||= 'demoted';
        else if (verdict === 'no') asked.push(claim.asked);
        else {
          if (claim.flags.includes('NODLCKWT') && claim.told < rankOf(claim.asked)) this.#block(claim, claim.asked, rankOf(claim.asked));
          if (this.law.deadlockedIsTold) asked.push(claim.asked);
        }
      }
      sawCw ||= !this.law.blockedCwIsFresh && asked.includes('CW');
      if (outcome === '' || (outcome === 'demoted' && !mayRepeat)) return { asked, sawCw };
      if (outcome === 'demoted') mayRepeat = false;
    }
  }

  /** A claim could not be granted: tell those in its way, as far as it is news to them. */
  #tell(claim: Claim, holders: readonly Claim[]): void {
    const rank = rankOf(claim.asked);
    for (const holder of holders) {
      const isPair = arePrAndCw(holder.held, claim.asked);
      if (holder === claim || (isPair ? holder.told >= 5 : holder.told >= rank || fit(holder.held, claim.asked))) continue;
      this.#hit(`told on arrival${isPair ? ', PR and CW' : ''}`);
      this.#block(holder, claim.asked, rank);
    }
  }

  /** Not told: what the callback just before it says as well, and what it does not block any more. */
  #block(holder: Claim, mode: string, told: number): void {
    holder.told = told;
    const before = this.callbacks.findLast(({ label }) => label === holder.label)?.blocks ?? '';
    if (before !== '' && (before === mode || (rankOf(before) > rankOf(mode) && rankOf(before) > 3))) return;
    this.#note(holder, `blocks ${mode}`, mode, !fit(holder.completed, mode));
  }

  #complete(claim: Claim, status: string, given: string | null = null): null {
    const { text, isInvalid } = this.values[claim.resource]!;
    claim.completed = claim.held;
    const state = text === null ? 'none' : isInvalid ? 'invalid' : 'valid';
    this.#note(claim, [status, claim.held || 'IV', ...[...claim.results].sort(), given ?? '-', state].join(' '));
    return null;
  }

  #note(claim: Claim, text: string, blocks = '', isHeard = true): void {
    const isHeardByAny = claim.owner !== null || (blocks === '' && !claim.isDying);
    if (isHeardByAny) this.callbacks.push({ label: claim.label, text, blocks, isHeard });
  }
}
