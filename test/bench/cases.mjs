import { chunksPerStream, largeBody, smallBody, streamBody } from './payloads.mjs'

/**
 * What is measured. A group runs its variants in turn, round after round, under one load; each row compares two of
 * them. A round sends `perRound` requests, `inFlight` at a time, for the CPU figure, then `oneByOne` for the latency,
 * which is left out where that is 0. Rounds are many and short, so that whatever else the machine does falls on all
 * variants alike.
 */
export const groups = [
  {
    upstream: 'whole',
    body: smallBody,
    variants: [
      'bare',
      'node-gateway',
      'node-router',
      'node-sinks',
      'express-handler',
      'express-gateway',
      'wrap-server',
    ],
    rounds: 60,
    inFlight: 32,
    perRound: 250,
    oneByOne: 25,
    warmUp: 4_000,
    rows: [
      row('express', 'chat 2 KB, Express 5', 'express-gateway', 'express-handler', 1.25),
      row('wrap', 'chat 2 KB, before Express by wrapServer', 'wrap-server', 'express-handler', 0.6),
      row('node', 'chat 2 KB, nodeGateway', 'node-gateway', 'bare', 1.6),
      row('router', 'the same, four deployments, fallbacks, checks', 'node-router', 'node-gateway', 1.05),
      row('sinks', 'the same, told to Prometheus, OpenTelemetry and a webhook', 'node-sinks', 'node-gateway', 1.15),
    ],
  },
  {
    upstream: 'whole',
    body: smallBody,
    variants: ['bare', 'node-cache'],
    rounds: 60,
    inFlight: 32,
    perRound: 250,
    oneByOne: 25,
    warmUp: 4_000,
    rows: [row('cache', 'chat 2 KB, answered from the cache in memory', 'node-cache', 'bare', 0.5)],
  },
  {
    upstream: 'openai',
    body: streamBody,
    variants: ['bare', 'node-gateway'],
    unit: { name: 'chunk', count: chunksPerStream },
    rounds: 20,
    inFlight: 16,
    perRound: 48,
    oneByOne: 4,
    warmUp: 200,
    rows: [
      {
        ...row('stream', 'stream of 200 chunks, OpenAI upstream', 'node-gateway', 'bare', 1.5),
        firstByteTarget: 1,
      },
    ],
  },
  {
    upstream: 'anthropic',
    body: streamBody,
    variants: ['bare', 'node-gateway'],
    unit: { name: 'chunk', count: chunksPerStream },
    rounds: 20,
    inFlight: 16,
    perRound: 48,
    oneByOne: 4,
    warmUp: 200,
    rows: [row('anthropic', 'stream of 200 chunks, Anthropic upstream', 'node-gateway', 'bare', 4)],
  },
  dialectGroup('gemini', 'Gemini', 4),
  dialectGroup('responses', 'OpenAI Responses', 4),
  dialectGroup('bedrock', 'Bedrock Converse', 6),
  dialectGroup('cohere', 'Cohere', 4),
  dialectGroup('ollama', 'Ollama', 4),
  {
    upstream: 'whole',
    body: largeBody,
    variants: ['bare', 'node-gateway'],
    rounds: 40,
    inFlight: 4,
    perRound: 12,
    oneByOne: 6,
    warmUp: 150,
    countParses: true,
    rows: [row('large', 'chat 1 MB in (image parts), nodeGateway', 'node-gateway', 'bare', 2.5)],
  },
]

/** A stream of one more dialect, with fewer rounds and without latencies: there are many of them. */
function dialectGroup(name, title, target) {
  return {
    upstream: name,
    body: streamBody,
    variants: ['bare', 'node-gateway'],
    unit: { name: 'chunk', count: chunksPerStream },
    rounds: 15,
    inFlight: 16,
    perRound: 16,
    oneByOne: 0,
    warmUp: 240,
    rows: [row(name, `stream of ${chunksPerStream} chunks, ${title} upstream`, 'node-gateway', 'bare', target)],
  }
}

function row(name, title, variant, baseline, target) {
  return { name, title, variant, baseline, target }
}
