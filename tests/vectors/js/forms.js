// Every record by name: decoded and encoded again; Malformed where its form is refused. As ../forms.cpp does.
import { concat, u32, u8 } from './nm1/bytes.js';
import { historyOffer, keyRequest, sealedControl } from './nm1/control.js';
import { convEvent } from './nm1/conversation.js';
import { deviceCert, deviceRevoke } from './nm1/device.js';
import { directoryHead } from './nm1/directory.js';
import { chainBody, grantHeader, parseUpload } from './nm1/grant.js';
import { encodeAbsence, encodePath, parseAbsence, parsePath } from './nm1/map.js';
import { content, messageHeader } from './nm1/message.js';
import { sealKey } from './nm1/seal_key.js';
import { wipeOrder, wipeReceipt } from './nm1/wipe.js';

const recode = (codec) => (bytes) => codec.encode(codec.parse(bytes));

function upload(bytes) {
  const { header, sealed, wraps } = parseUpload(bytes);
  return concat(grantHeader.encode(header), sealed, ...wraps.map((w) => concat(u32(w.devNo), u32(w.keyId), w.box)));
}

function control(bytes) {
  const { type, receiver, keyId, box } = sealedControl.parse(bytes);
  return concat(u8(type), u8(1), u8(1), u8(0), receiver, u32(keyId), box);
}

export const FORMS = {
  device_cert: recode(deviceCert),
  device_revoke: recode(deviceRevoke),
  seal_key: recode(sealKey),
  event: recode(convEvent),
  grant_header: recode(grantHeader),
  chain_body: recode(chainBody),
  message_header: recode(messageHeader),
  content: recode(content),
  key_request: recode(keyRequest),
  history_offer: recode(historyOffer),
  head: recode(directoryHead),
  path: (bytes) => encodePath(parsePath(bytes)),
  absence: (bytes) => encodeAbsence(parseAbsence(bytes)),
  grant_upload: upload,
  sealed_control: control,
  wipe_order: recode(wipeOrder),
  wipe_receipt: recode(wipeReceipt),
};
