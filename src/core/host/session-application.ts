/**
 * What a session says and hears as an application: requests in, events out.
 */
import { DlmError } from '../base/errors.js';
import * as inspect from './inspect.js';
import type { ApplicationAnswer } from './port.js';
import type { Served } from './served.js';
import type { Session } from './session.js';
import type { SessionLocks } from './session-locks.js';
import type { Request } from './session-protocol.js';

/** Throws as `Applications.attach`, `answer` and `detach`. */
export function answerOfApplication(
  session: Session,
  locks: SessionLocks,
  { host, watch }: Served,
  request: Request<'attachApplication' | 'answerApplication' | 'detachApplication'>,
): object {
  const { lockspace } = request;
  const { applications } = host;
  switch (request.op) {
    case 'attachApplication': {
      const { suspendMillis, order, isClient } = request;
      // Whoever attaches may be ended by its number.
      if (isClient === true) locks.checkNamespace();
      const terms = { suspendMillis, isClient: isClient === true, ...(order === null ? {} : { order }) };
      applications.attach(lockspace, locks.owner, terms, {
        hear: (event) => session.event({ event: 'application', ...event }),
        lost: ({ code, message, hint }) => session.event({ event: 'applicationLost', lockspace, code, message, hint }),
      }, watch);
      return inspect.summary(host, lockspace);
    }
    case 'answerApplication':
      applications.answer(lockspace, locks.owner, answerIn(request));
      return {};
    case 'detachApplication':
      applications.detach(lockspace, locks.owner, watch);
      return {};
  }
}

function answerIn({ to, slot, since, isDone }: Request<'answerApplication'>): ApplicationAnswer {
  if (to === 'suspend') return { to, isDone };
  if (to === 'recover' && since !== null) return { to, slot, since, isDone };
  throw new DlmError('DLM_PROTOCOL', 'an application answers to "suspend", or to "recover" with the slot and since');
}
