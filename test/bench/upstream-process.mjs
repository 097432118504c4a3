// The provider's side, in a process of its own. The first path segment says how it answers:
//   /whole         2 KB at once
//   /openai        an OpenAI stream, one event per millisecond and stream, so that every event is a packet of its own
//   /anthropic     the same in Anthropic's format
//   /mixed         whole or a short stream without pauses, as the body asks
import http from 'node:http'
import { answerParent } from './child-process.mjs'
import { anthropicStream, chunksPerStream, openaiStream, wholeAnswer } from './payloads.mjs'

const eventStream = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }
const json = { 'content-type': 'application/json', 'content-length': wholeAnswer.length }

const openaiEvents = openaiStream(chunksPerStream)
const anthropicEvents = anthropicStream(chunksPerStream)
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

/** The events up to the first content leave at once, as providers send them; each is a write of its own. */
function paced(response, events, firstEvents) {
  response.writeHead(200, eventStream)
  for (const event of events.slice(0, firstEvents)) response.write(event)
  const stream = { response, events, position: firstEvents }
  running.add(stream)
  response.on('close', () => running.delete(stream))
  ticker ??= setInterval(tick, 1)
}

function unpaced(response, events) {
  response.writeHead(200, eventStream)
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
  openai: (response) => paced(response, openaiEvents, 2),
  anthropic: (response) => paced(response, anthropicEvents, 3),
  mixed: (response, body) => (body.includes('"stream":true') ? unpaced(response, shortEvents) : whole(response)),
}

const server = http.createServer((request, response) => {
  active += 1
  response.on('close', () => {
    active -= 1
  })
  const answer = answers[request.url.split('/', 2)[1]]
  const pieces = []
  request.on('data', (piece) => pieces.push(piece))
  request.on('end', () => answer(response, answer === answers.mixed ? Buffer.concat(pieces).toString() : ''))
  request.on('error', () => undefined)
  response.on('error', () => undefined)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  answerParent({ active: () => active })
  process.send({ ready: server.address().port })
})
