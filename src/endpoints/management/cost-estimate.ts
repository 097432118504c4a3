import { z } from 'zod'
import type { Price } from '../../catalog/prices/index.js'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import { type Route, defineRoute } from '../../http/route.js'
import { type Cost, costOf, noUsage } from '../../spend/index.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import type { AdminParts } from './parts.js'

const count = z.int().min(0).max(1_000_000_000)

const EstimateBody = z.strictObject({
  model: z.string().min(1).max(400),
  input_tokens: count,
  output_tokens: count,
  num_requests_per_day: count.nullish(),
  num_requests_per_month: count.nullish(),
})
type EstimateBody = z.infer<typeof EstimateBody>

const dollars = z.number().nullable()
const EstimateAnswer = z.object({
  model: z.string(),
  provider: z.string(),
  input_tokens: count,
  output_tokens: count,
  num_requests_per_day: count.nullable(),
  num_requests_per_month: count.nullable(),
  cost_per_request: z.number(),
  input_cost_per_request: z.number(),
  output_cost_per_request: z.number(),
  daily_cost: dollars,
  daily_input_cost: dollars,
  daily_output_cost: dollars,
  monthly_cost: dollars,
  monthly_input_cost: dollars,
  monthly_output_cost: dollars,
  priced: z.boolean(),
})

interface Estimate {
  readonly deployment: Deployment
  readonly total: Cost
  readonly input: Cost
  readonly output: Cost
}

/** `POST /cost/estimate`: what calls of a size cost, at the deployment of the model where they cost most. */
export function costEstimate(parts: AdminParts): Route {
  return defineRoute({
    method: 'POST',
    paths: ['/cost/estimate'],
    access: 'caller',
    summary: 'Tells what calls with so many tokens cost, each, by day and by month; in dollars.',
    body: EstimateBody,
    response: EstimateAnswer,
    errors: ['model_not_allowed', 'model_not_found', 'unprocessable'],
    examples: {
      daily: {
        summary: 'A thousand calls a day',
        body: { model: 'demo', input_tokens: 1_000, output_tokens: 500, num_requests_per_day: 1_000 },
        answer: estimateExample,
      },
    },
    handle: async ({ caller, body }) => {
      const group = parts.directory.groups.resolve(body.model, caller)
      await parts.pricing.ready()
      const estimates = group.members.map(({ deployment }) => estimate(deployment, body, parts))
      const dearest = estimates.reduce((most, next) => (next.total.pico > most.total.pico ? next : most))
      return jsonAnswer(200, toAnswer(body, dearest))
    },
  })
}

/** @throws GatewayError unprocessable for a model without a known price */
function estimate(deployment: Deployment, body: EstimateBody, { pricing, clock }: AdminParts): Estimate {
  const { price, reason } = pricing.find(deployment)
  if (!price) throw new GatewayError('unprocessable', reason, { param: 'model', code: 'unknown_price' })
  const cost = (input: number, output: number): Cost => costOfTokens(price, { input, output, at: clock.now() })
  const total = cost(body.input_tokens, body.output_tokens)
  // The input's share at the tier of the whole prompt; the rest is the output's.
  const input = cost(body.input_tokens, 0)
  return { deployment, total, input, output: { ...total, pico: total.pico - input.pico } }
}

function costOfTokens(
  price: Price,
  { input, output, at }: { readonly input: number; readonly output: number; readonly at: number },
): Cost {
  return costOf({ ...noUsage, inputUncached: input, outputText: output }, price, { at })
}

function toAnswer(body: EstimateBody, { deployment, total, input, output }: Estimate): JsonObject {
  const times = (pico: bigint, requests: number | null | undefined): number | null =>
    requests === null || requests === undefined ? null : dollarsOf(pico * BigInt(requests))
  const { num_requests_per_day: daily, num_requests_per_month: monthly } = body
  return {
    model: body.model,
    provider: deployment.provider,
    input_tokens: body.input_tokens,
    output_tokens: body.output_tokens,
    num_requests_per_day: daily ?? null,
    num_requests_per_month: monthly ?? null,
    cost_per_request: dollarsOf(total.pico),
    input_cost_per_request: dollarsOf(input.pico),
    output_cost_per_request: dollarsOf(output.pico),
    daily_cost: times(total.pico, daily),
    daily_input_cost: times(input.pico, daily),
    daily_output_cost: times(output.pico, daily),
    monthly_cost: times(total.pico, monthly),
    monthly_input_cost: times(input.pico, monthly),
    monthly_output_cost: times(output.pico, monthly),
    priced: total.priced,
  }
}

const estimateExample: z.infer<typeof EstimateAnswer> = {
  model: 'demo',
  provider: 'openai',
  input_tokens: 1_000,
  output_tokens: 500,
  num_requests_per_day: 1_000,
  num_requests_per_month: null,
  cost_per_request: 0.0075,
  input_cost_per_request: 0.0025,
  output_cost_per_request: 0.005,
  daily_cost: 7.5,
  daily_input_cost: 2.5,
  daily_output_cost: 5,
  monthly_cost: null,
  monthly_input_cost: null,
  monthly_output_cost: null,
  priced: true,
}
