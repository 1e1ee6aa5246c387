// Every kind of case, and how often it comes in a round.
import * as sealing from './sealing_cases.js';

export const CASES = {
  message: { weight: 40, run: sealing.message },
  messageTooLong: { weight: 3, run: sealing.messageTooLong },
  chainOrder: { weight: 20, run: sealing.chainOrder },
  authenticNonsense: { weight: 20, run: sealing.authenticNonsense },
  grant: { weight: 36, run: sealing.grant },
  largeGrant: { weight: 1, run: sealing.largeGrant },
};
