// @tus/server with its file store, as its own page shows it: node server.js FOLDER [CERTIFICATE KEY]. Prints its port.
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [folder, certificate, key] = process.argv.slice(2)
const tus = new Server({ path: '/v1/media', datastore: new FileStore({ directory: folder }), relativeLocation: true })
const handle = tus.handle.bind(tus)
const server = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, handle)
  : http.createServer(handle)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
