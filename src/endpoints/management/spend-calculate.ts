import { z } from 'zod'
import { estimateInputTokens } from '../../catalog/token-estimate.js'
import type { Price } from '../../catalog/prices/index.js'
import type { Deployment } from '../../deployment.js'
import { GatewayError, InvalidRequestError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import { type Route, defineRoute } from '../../http/route.js'
import { type Cost, circumstancesOf, costOf, noUsage, toBuckets } from '../../spend/index.js'
import { ChatMessage } from '../../wire/chat.js'
import { ChatUsage } from '../../wire/usage.js'
import { dollarsOf } from './dollars.js'
import type { AdminParts } from './parts.js'

const model = z.string().min(1).max(400)

const CalculateBody = z.strictObject({
  /** @default that of `completion_response` */
  model: model.nullish(),
  messages: z.array(ChatMessage).min(1).nullish(),
  completion_response: z.looseObject({ model: model.optional(), usage: ChatUsage }).nullish(),
})
const CalculateAnswer = z.object({ cost: z.number(), priced: z.boolean() })
type CalculateBody = z.infer<typeof CalculateBody>

/** `POST /spend/calculate`: what an answer has cost, or what the input of messages costs, where it costs most. */
export function spendCalculate(parts: AdminParts): Route {
  return defineRoute({
    method: 'POST',
    paths: ['/spend/calculate'],
    access: 'caller',
    summary: 'Tells what an answer has cost, or what the input of messages costs; in dollars.',
    body: CalculateBody,
    response: CalculateAnswer,
    errors: ['model_not_allowed', 'model_not_found', 'unprocessable'],
    examples: {
      messages: {
        summary: 'What the input costs',
        body: { model: 'demo', messages: [{ role: 'user', content: 'Hello' }] },
        answer: { cost: 0.0000125, priced: true },
      },
      answer: {
        summary: 'What an answer has cost',
        body: {
          completion_response: {
            model: 'demo',
            usage: { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 },
          },
        },
        answer: { cost: 0.0125, priced: true },
      },
    },
    handle: async ({ caller, body }) => {
      const name = body.model ?? body.completion_response?.model
      if (name === undefined) throw new InvalidRequestError('Name the model.', 'model')
      const group = parts.directory.groups.resolve(name, caller)
      await parts.pricing.ready()
      const costs = group.members.map(({ deployment }) => costAt(deployment, body, parts))
      const dearest = costs.reduce((most, next) => (next.pico > most.pico ? next : most))
      return jsonAnswer(200, { cost: dollarsOf(dearest.pico), priced: dearest.priced })
    },
  })
}

/** @throws GatewayError unprocessable for a model without a known price */
function costAt(deployment: Deployment, body: CalculateBody, { pricing, clock }: AdminParts): Cost {
  const { price, reason } = pricing.find(deployment)
  if (!price) throw new GatewayError('unprocessable', reason, { param: 'model', code: 'unknown_price' })
  if (body.completion_response) return costOfAnswer(body.completion_response, price, clock.now())
  if (!body.messages) throw new InvalidRequestError('Name messages or completion_response.', 'messages')
  const { tokens } = estimateInputTokens({ model: deployment.model, messages: body.messages }, deployment.model)
  return costOf({ ...noUsage, inputUncached: tokens }, price, { at: clock.now() })
}

function costOfAnswer(answer: NonNullable<CalculateBody['completion_response']>, price: Price, at: number): Cost {
  const usage = toBuckets(answer.usage, { images: 0, milliseconds: 0 })
  return costOf(usage ?? noUsage, price, circumstancesOf({ at, request: {}, answer }))
}
