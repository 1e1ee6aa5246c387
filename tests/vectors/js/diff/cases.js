// Every kind of case, and how often it comes in a round.
import * as blobs from './blob_cases.js';
import * as directory from './directory_cases.js';
import * as entries from './entry_cases.js';
import * as judges from './judge_cases.js';
import * as records from './record_cases.js';
import * as rosters from './roster_cases.js';
import * as sealing from './sealing_cases.js';
import * as strict from './strict_cases.js';
import * as wipes from './wipe_cases.js';

export const CASES = {
  message: { weight: 46, run: sealing.message },
  messageTooLong: { weight: 3, run: sealing.messageTooLong },
  chainOrder: { weight: 20, run: sealing.chainOrder },
  authenticNonsense: { weight: 20, run: sealing.authenticNonsense },
  grant: { weight: 28, run: sealing.grant },
  judging: { weight: 34, run: judges.judging },
  largeGrant: { weight: 1, run: sealing.largeGrant },
  blob: { weight: 24, run: blobs.blob },
  control: { weight: 24, run: blobs.control },
  lowOrderBox: { weight: 8, run: blobs.lowOrderBox },
  form: { weight: 110, run: records.form },
  sealKey: { weight: 12, run: records.sealKeyRecord },
  token: { weight: 6, run: records.tokens },
  identifiers: { weight: 30, run: records.identifiers },
  entry: { weight: 12, run: entries.entries },
  log: { weight: 30, run: directory.log },
  map: { weight: 16, run: directory.map },
  misplaced: { weight: 8, run: directory.misplaced },
  heads: { weight: 9, run: directory.heads },
  roster: { weight: 20, run: rosters.roster },
  appointment: { weight: 16, run: rosters.appointment },
  rosterRoot: { weight: 4, run: rosters.rosterRoots },
  strictSignature: { weight: 16, run: strict.strictSignature },
  smallOrderKey: { weight: 8, run: strict.smallOrderKey },
  wipe: { weight: 12, run: wipes.wipe },
};
