// The provider's side, in a process of its own. The first path segment says how it answers:
//   /whole         2 KB at once
//   /<dialect>     a stream of `streams.mjs`, brief if asked, one event per millisecond and stream, so that each is a packet
//   /mixed         whole or a short stream without pauses, as the body asks
import http from 'node:http'
import { answerParent } from './child-process.mjs'
import { briefly, openaiStream, wholeAnswer } from './payloads.mjs'
import { streams } from './streams.mjs'

const json = { 'content-type': 'application/json', 'content-length': wholeAnswer.length }

const shortEvents = openaiStream(20)
const running = new Set()
let active = 0
let ticker

/** One timer for all streams: each gets its next event once per tick. */
function tick() {
  for (const stream of running) {
    stream.response.write(stream.events[stream.position])
    stream.position += 1
    if (stream.position < stream.events.length) continue
    running.delete(stream)
    stream.response.end()
  }
  if (running.size > 0) return
  clearInterval(ticker)
  ticker = undefined
}

function begin(response, contentType) {
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache' })
}

/** The events up to the first content leave at once, as providers send them; each is a write of its own. */
function paced(response, { contentType, first }, events) {
  begin(response, contentType)
  for (const event of events.slice(0, first)) response.write(event)
  const stream = { response, events, position: first }
  running.add(stream)
  response.on('close', () => running.delete(stream))
  ticker ??= setInterval(tick, 1)
}

function eventsFor({ events, briefEvents }, body) {
  return body.includes(briefly) ? briefEvents : events
}

function unpaced(response, events) {
  begin(response, streams.openai.contentType)
  let position = 0
  const next = () => {
    if (response.destroyed) return
    response.write(events[position])
    position += 1
    if (position < events.length) setImmediate(next)
    else response.end()
  }
  next()
}

const whole = (response) => response.writeHead(200, json).end(wholeAnswer)

const answers = {
  whole,
  mixed: (response, body) => (body.includes('"stream":true') ? unpaced(response, shortEvents) : whole(response)),
}

const server = http.createServer((request, response) => {
  active += 1
  response.on('close', () => {
    active -= 1
  })
  const name = request.url.split('/', 2)[1]
  const answer = answers[name] ?? ((_, body) => paced(response, streams[name], eventsFor(streams[name], body)))
  const pieces = []
  request.on('data', (piece) => pieces.push(piece))
  request.on('end', () => answer(response, answer === whole ? '' : Buffer.concat(pieces).toString()))
  request.on('error', () => undefined)
  response.on('error', () => undefined)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  answerParent({ active: () => active })
  process.send({ ready: server.address().port })
})
