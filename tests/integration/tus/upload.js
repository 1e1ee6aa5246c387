// One upload by tus-js-client, as a phone developer would write it.
//
//   node upload.js '{"endpoint": "https://host:port/v1/media", "file": …, "id": 32 hex digits, "token": FILE, …}'
//
// The token is read from its file before every request; after a 401 from the one named as `renewed`, as an app gets a
// new one. More settings: chunk, parallel, withCreation, deferred, override, url (of an upload that was begun), stopAt
// (bytes: then it ends without a word, as a phone whose battery is empty). NODE_EXTRA_CA_CERTS names the CA. The last
// line of output is {"url": …, "requests": {"POST": n, …}, "statuses": [n, …]} or {"error": …}.
import fs from 'node:fs'
import { PassThrough } from 'node:stream'
import tus from 'tus-js-client'

const settings = JSON.parse(process.argv[2])
const requests = {}
const statuses = []
const url = { of: settings.url ?? null }
let token = settings.token
const report = (line) => console.log(JSON.stringify({ ...line, requests, statuses, url: url.of }))

// What passes: no network, a busy server, another request on the same upload, and a token that has run out.
function again(error) {
  const status = error.originalResponse?.getStatus() ?? 0
  return status === 0 || status >= 500 || [401, 409, 423, 460].includes(status)
}

// What is recorded while it is sent is a stream without a size.
const file = fs.createReadStream(settings.file)
const upload = new tus.Upload(settings.deferred ? file.pipe(new PassThrough()) : file, {
  endpoint: settings.endpoint,
  uploadUrl: settings.url ?? null,
  metadata: { id: settings.id },
  // Parts side by side learn their sizes from the file.
  uploadSize: settings.deferred || settings.parallel ? null : fs.statSync(settings.file).size,
  uploadLengthDeferred: settings.deferred ?? false,
  chunkSize: settings.chunk ?? Number.POSITIVE_INFINITY,
  parallelUploads: settings.parallel ?? 1,
  uploadDataDuringCreation: settings.withCreation ?? false,
  overridePatchMethod: settings.override ?? false,
  retryDelays: Array(settings.retries ?? 60).fill(100),
  storeFingerprintForResuming: false,
  onShouldRetry: again,
  onBeforeRequest(request) {
    request.setHeader('Authorization', `Bearer ${fs.readFileSync(token, 'utf8').trim()}`)
    requests[request.getMethod()] = (requests[request.getMethod()] ?? 0) + 1
  },
  onAfterResponse(_, response) {
    statuses.push(response.getStatus())
    if (response.getStatus() === 401) token = settings.renewed ?? settings.token
  },
  onUploadUrlAvailable() { url.of = upload.url },
  onProgress(sent) {
    if (settings.stopAt && sent >= settings.stopAt && upload.url) { report({ stopped: sent }); process.exit(0) }
  },
  onError(error) { report({ error: String(error) }); process.exit(1) },
  onSuccess() { url.of = upload.url; report({}); process.exit(0) },
})
upload.start()
