import { z } from 'zod'
import { capabilitiesOf } from '../../catalog/capabilities.js'
import type { Deployment } from '../../deployment.js'
import { GatewayError, InvalidRequestError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import type { Actor } from '../../keys/management/index.js'
import { mayUse } from '../../router/model-groups.js'
import { type RatedBucket, knownRate, rateCardOf } from '../../spend/rate-card.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import { recordId } from './group-routes.js'
import { PageFields, pageOf } from '../page-of.js'
import { defineManaged } from './managed.js'
import type { AdminParts, RuntimeModel } from './parts.js'
import { seesAll } from './spend-scope.js'

const data = z.record(z.string().min(1).max(200), z.unknown())
const modelName = z.string().min(1).max(400)
const parameters = data.refine((params) => typeof params['model'] === 'string', {
  error: 'needs a model, such as openai/gpt-5-mini',
})

const NewModelBody = z.strictObject({
  model_name: modelName,
  litellm_params: parameters,
  model_info: data.nullish(),
})
const UpdateModelBody = z.strictObject({
  /** @default model_info.id */
  id: recordId.optional(),
  model_name: modelName.optional(),
  litellm_params: data.nullish(),
  model_info: data.nullish(),
})
const InfoQuery = z.strictObject({
  litellm_model_id: recordId.optional(),
  id: recordId.optional(),
  /** Deployments of one model group. */
  model_name: z.string().min(1).max(400).optional(),
  ...PageFields,
})

const params = z.looseObject({ model: z.string() })
const RuntimeModelAnswer = z.object({
  model_id: z.string(),
  model_name: z.string(),
  litellm_params: params,
  model_info: z.looseObject({ id: z.string(), db_model: z.boolean() }),
})
const ModelInfoAnswer = z.object({
  data: z.array(
    z.object({
      model_name: z.string(),
      litellm_params: params,
      model_info: z.looseObject({
        id: z.string(),
        db_model: z.boolean(),
        litellm_provider: z.string(),
        max_input_tokens: z.int().nullable(),
        max_output_tokens: z.int().nullable(),
        input_cost_per_token: z.number().nullable(),
        output_cost_per_token: z.number().nullable(),
      }),
    }),
  ),
  next: z.string().nullable(),
})

/** `/model/*`: the model list, and what is added to it at run time. */
export function modelRoutes(parts: AdminParts): readonly Route[] {
  return [newModel(parts), updateModel(parts), deleteModel(parts), modelInfo(parts)]
}

function newModel(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/model/new'],
    access: 'admin',
    summary: 'Adds a deployment to the model list of every process; its credentials are kept encrypted.',
    body: NewModelBody,
    response: RuntimeModelAnswer,
    errors: ['conflict'],
    examples: {
      one: {
        summary: 'A deployment with prices of its own',
        body: {
          model_name: 'fast',
          litellm_params: { model: 'openai/gpt-5-mini', api_key: 'sk-of-the-provider', input_cost_per_token: 2.5e-7 },
          model_info: { id: 'fast-1' },
        },
      },
    },
    handle: async (actor, { body }) => {
      const { id: given, ...info } = body.model_info ?? {}
      const id = given === undefined ? parts.callers.createId() : checkId(given)
      return jsonAnswer(200, toRuntimeAnswer(await parts.models.add(actor, id, { ...body, model_info: info })))
    },
  })
}

function updateModel(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/model/update'],
    access: 'admin',
    summary: 'Changes the parameters of an added deployment that are named; null takes one away.',
    body: UpdateModelBody,
    response: RuntimeModelAnswer,
    errors: ['not_found', 'conflict'],
    examples: { limit: { summary: 'A limit of its own', body: { id: 'fast-1', litellm_params: { rpm: 60 } } } },
    handle: async (actor, { body: { id, model_name, litellm_params: params, model_info } }) => {
      const { id: given, ...info } = model_info ?? {}
      const change = {
        ...(model_name !== undefined && { model_name }),
        ...(params && { litellm_params: params }),
        ...(model_info && { model_info: info }),
      }
      return jsonAnswer(200, toRuntimeAnswer(await parts.models.update(actor, checkId(id ?? given), change)))
    },
  })
}

function deleteModel(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/model/delete'],
    access: 'admin',
    summary: 'Takes an added deployment off the model list of every process.',
    body: z.strictObject({ id: recordId }),
    response: z.object({ id: z.string(), message: z.string() }),
    errors: ['not_found'],
    examples: {
      one: {
        summary: 'One deployment',
        body: { id: 'fast-1' },
        answer: { id: 'fast-1', message: 'The deployment fast-1 was deleted.' },
      },
    },
    handle: async (actor, { body: { id } }) => {
      await parts.models.remove(actor, id)
      return jsonAnswer(200, { id, message: `The deployment ${id} was deleted.` })
    },
  })
}

function modelInfo(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/model/info', '/v1/model/info'],
    access: 'caller',
    summary: 'Lists the deployments of the models that the caller may use; where and how, for those who see all.',
    query: InfoQuery,
    response: ModelInfoAnswer,
    errors: ['permission', 'not_found'],
    examples: { all: { summary: 'All of them' }, one: { summary: 'One of them', query: { id: 'fast-1' } } },
    handle: async (actor, { query }) => {
      await parts.pricing.ready()
      const id = query.litellm_model_id ?? query.id
      const listed = parts.directory.groups.all
        .filter(({ modelName: name }) => seesAll(actor) || mayUse(actor.caller, name))
        .filter((deployment) => id === undefined || deployment.id === id)
        .filter(({ modelName }) => query.model_name === undefined || modelName === query.model_name)
      if (id !== undefined && listed.length === 0) {
        throw new GatewayError('not_found', 'There is no such deployment.', { param: 'id' })
      }
      const { rows, next } = pageOf(listed, query)
      return jsonAnswer(200, { data: rows.map((deployment) => describe(actor, deployment, parts)), next })
    },
  })
}

/** @throws InvalidRequestError for what is no id */
function checkId(given: unknown): string {
  const result = recordId.safeParse(given)
  if (result.success) return result.data
  throw new InvalidRequestError('Name the deployment by its id.', 'model_info.id')
}

/** Parameters that are shown; any other may hold a credential. */
const shownParameters: ReadonlySet<string> = new Set(
  [
    'model',
    'custom_llm_provider',
    'api_base',
    'base_url',
    'api_version',
    'rpm',
    'tpm',
    'weight',
    'order',
    'tags',
  ].concat(
    ['timeout', 'stream_timeout', 'max_parallel_requests', 'cooldown_time', 'region_name', 'drop_params'],
    [
      'temperature',
      'top_p',
      'max_tokens',
      'max_completion_tokens',
      'aws_region_name',
      'vertex_project',
      'vertex_location',
    ],
  ),
)

/** The names of all parameters, the values of harmless ones. */
function maskParameters(params: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      shownParameters.has(name) || /_cost(?:_|$)/.test(name) ? value : '***',
    ]),
  )
}

function toRuntimeAnswer({ id, model_name, litellm_params, model_info }: RuntimeModel): JsonObject {
  return {
    model_id: id,
    model_name,
    litellm_params: maskParameters(litellm_params),
    model_info: { ...model_info, id, db_model: true },
  }
}

function describe(actor: Actor, deployment: Deployment, parts: AdminParts): JsonObject {
  const { id, modelName: model_name, provider, model, baseUrl, info, rpm, tpm } = deployment
  const runtime = parts.models.get(id)
  const params = runtime
    ? maskParameters(runtime.litellm_params)
    : {
        model: `${provider}/${model}`,
        ...(baseUrl !== undefined && { api_base: baseUrl }),
        ...(rpm !== undefined && { rpm }),
        ...(tpm !== undefined && { tpm }),
      }
  return {
    model_name,
    litellm_params: seesAll(actor) ? params : { model: `${provider}/${model}` },
    model_info: {
      ...(seesAll(actor) && info),
      id,
      db_model: runtime !== undefined,
      litellm_provider: provider,
      ...toLimits(deployment),
      ...toPrices(deployment, parts),
    },
  }
}

function toLimits({ provider, model, capabilities }: Deployment): JsonObject {
  const { maxOutputTokens, contextWindow } = capabilitiesOf(provider, model, capabilities)
  return { max_input_tokens: contextWindow ?? null, max_output_tokens: maxOutputTokens ?? null }
}

/** The standard rates, in dollars per token; null where none is known. */
function toPrices(deployment: Deployment, { pricing, clock }: AdminParts): JsonObject {
  const { price } = pricing.find(deployment)
  if (!price) return { input_cost_per_token: null, output_cost_per_token: null }
  const card = rateCardOf(price, 0, { at: clock.now() })
  const dollars = (bucket: RatedBucket): number | null => {
    const rate = knownRate(card, bucket)
    return rate === undefined ? null : dollarsOf(rate)
  }
  return { input_cost_per_token: dollars('inputUncached'), output_cost_per_token: dollars('outputText') }
}
