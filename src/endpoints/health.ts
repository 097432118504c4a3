import { z } from 'zod'
import type { CallParts } from '../call/context.js'
import { jsonAnswer } from '../http/answer.js'
import { type Route, defineRoute } from '../http/route.js'

const Health = z.object({ status: z.string() })

/** `GET /health/liveliness` and `GET /health/readiness`, for orchestrators; they tell nothing about the models. */
export function health(parts: CallParts): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      paths: ['/health/liveliness', '/health/liveness'],
      access: 'public',
      summary: 'Answers while the process runs.',
      response: Health,
      examples: { alive: { summary: 'It runs', answer: { status: 'alive' } } },
      handle: () => jsonAnswer(200, { status: 'alive' }),
    }),
    defineRoute({
      method: 'GET',
      paths: ['/health/readiness'],
      access: 'public',
      summary: 'Answers 200 while calls are taken, 503 once the gateway is closing.',
      response: Health,
      examples: { ready: { summary: 'It takes calls', answer: { status: 'ready' } } },
      errors: ['unavailable'],
      handle: () =>
        parts.running.closed ? jsonAnswer(503, { status: 'closing' }) : jsonAnswer(200, { status: 'ready' }),
    }),
  ]
}
