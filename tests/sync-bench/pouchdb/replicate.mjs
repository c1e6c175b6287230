// The first sync of the same records by PouchDB from express-pouchdb, on loopback: the side that
// `cargo xtask bench` holds ours against. Reads one JSON record a line from the file named first,
// prints {"records","seconds","bytes"}; bytes are what crossed the connection, both ways.
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import express from 'express'
import expressPouchDB from 'express-pouchdb'
import PouchDB from 'pouchdb'

const BATCH = 1000

const folder = mkdtempSync(join(tmpdir(), 'aftercare-pouchdb-'))
const Served = PouchDB.defaults({ prefix: join(folder, 'server-') })

/** Puts every line of the file into the served database. */
async function fill(file) {
  const db = new Served('records')
  let batch = []
  let records = 0
  const store = async () => {
    const failed = (await db.bulkDocs(batch)).filter((answer) => answer.error)
    if (failed.length > 0) throw new Error(`${failed.length} records were refused`)
    records += batch.length
    batch = []
  }
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line) continue
    batch.push(JSON.parse(line))
    if (batch.length === BATCH) await store()
  }
  if (batch.length > 0) await store()
  return records
}

/** A loopback server on a port of its own choice. */
function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
}

/** A door before `port` that counts what passes it. */
function counting(port) {
  const seen = { bytes: 0 }
  const door = net.createServer((desk) => {
    const server = net.connect(port, '127.0.0.1')
    for (const [from, to] of [[desk, server], [server, desk]]) {
      from.on('data', (bytes) => (seen.bytes += bytes.length))
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  return { door, seen }
}

try {
  const records = await fill(process.argv[2])
  const app = express()
  app.use('/', expressPouchDB(Served, { mode: 'minimumForPouchDB', logPath: join(folder, 'log.txt'), inMemoryConfig: true }))
  const port = await listen(http.createServer(app))
  const { door, seen } = counting(port)
  const doorPort = await listen(door)

  const local = new PouchDB(join(folder, 'desk'))
  const start = process.hrtime.bigint()
  await local.replicate.from(`http://127.0.0.1:${doorPort}/records`, { batch_size: BATCH })
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const got = (await local.info()).doc_count
  if (got !== records) throw new Error(`${got} of ${records} records arrived`)
  console.log(JSON.stringify({ records, seconds, bytes: seen.bytes }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)
