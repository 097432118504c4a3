import { chunksPerStream, largeBody, smallBody, streamBody } from './payloads.mjs'

/**
 * What is measured. A group runs its variants in turn, round after round, under one load; each row compares two of
 * them. `perRound` requests are sent `inFlight` at a time for the CPU figure, `oneByOne` for the latency.
 */
export const groups = [
  {
    upstream: 'whole',
    body: smallBody,
    variants: ['bare', 'node-gateway', 'express-handler', 'express-gateway', 'wrap-server'],
    inFlight: 32,
    perRound: 2_000,
    oneByOne: 300,
    warmUp: 4_000,
    rows: [
      row('express', 'chat 2 KB, Express 5', 'express-gateway', 'express-handler', 1.25),
      row('wrap', 'chat 2 KB, before Express by wrapServer', 'wrap-server', 'express-handler', 0.6),
      row('node', 'chat 2 KB, nodeGateway', 'node-gateway', 'bare', 1.6),
    ],
  },
  {
    upstream: 'openai',
    body: streamBody,
    variants: ['bare', 'node-gateway'],
    unit: { name: 'chunk', count: chunksPerStream },
    inFlight: 16,
    perRound: 96,
    oneByOne: 12,
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
    inFlight: 16,
    perRound: 96,
    oneByOne: 12,
    warmUp: 200,
    rows: [row('anthropic', 'stream of 200 chunks, Anthropic upstream', 'node-gateway', 'bare', 4)],
  },
  {
    upstream: 'whole',
    body: largeBody,
    variants: ['bare', 'node-gateway'],
    inFlight: 4,
    perRound: 60,
    oneByOne: 30,
    warmUp: 150,
    countParses: true,
    rows: [row('large', 'chat 1 MB in (image parts), nodeGateway', 'node-gateway', 'bare', 2.5)],
  },
]

function row(name, title, variant, baseline, target) {
  return { name, title, variant, baseline, target }
}
