import type { OutboundHttp } from '../ports/outbound-http.js'
import type { Secret } from '../secret.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../wire/json.js'
import { injectionScore } from './injection.js'
import { schemaMisfit } from './json-schema.js'
import type {
  CustomGuardrail,
  HttpGuardrail,
  InjectionGuardrail,
  JsonSchemaGuardrail,
  ModerationGuardrail,
} from './options.js'
import { type GuardedFacts, type Judgement, type Look, passed, type RuleInput } from './rule.js'

/** What a moderation model says of a text. */
export interface Moderation {
  readonly flagged: boolean
  /** By name, such as `hate`. */
  readonly categories: Readonly<Record<string, boolean>>
}

/** What a moderation model is asked, and for which call. */
export interface ModerationQuestion {
  /** A model group. */
  readonly model: string
  readonly text: string
  readonly facts: GuardedFacts
}

/** Asks a moderation model of the gateway's. @throws GatewayError */
export type Moderate = (question: ModerationQuestion, signal: AbortSignal) => Promise<Moderation>

const suspicious = 0.6

/** Looks for signs of an attempt to take the model over. */
export function judgeInjection({ threshold = suspicious }: InjectionGuardrail): Look {
  return {
    judge({ texts }) {
      if (injectionScore(texts) < threshold) return passed
      return { outcome: 'refused', reason: 'it looks like a prompt injection', counts: { injection: 1 } }
    },
  }
}

/** Reads answers as JSON and compares them with a schema. */
export function judgeJsonSchema({ schema }: JsonSchemaGuardrail): Look {
  return {
    judge({ texts, request, direction }) {
      const expected = schema ?? requestedSchema(request)
      if (!expected || direction === 'request') return passed
      // Tool calls have schemas of their own.
      for (const { text } of texts.filter(({ path }) => path.at(-1) === 'content' || path.at(-1) === 'text')) {
        const value = parseJson(text)
        const misfit = value === undefined ? '$' : schemaMisfit(value, expected)
        if (misfit === undefined) continue
        return { outcome: 'refused', reason: 'it does not fit its JSON schema', counts: { misfit: 1 }, note: misfit }
      }
      return passed
    },
  }
}

function requestedSchema({ response_format: format }: JsonObject): unknown {
  const wrapper = isObject(format) ? format['json_schema'] : undefined
  return isObject(wrapper) ? wrapper['schema'] : undefined
}

/** Asks a moderation model about all texts at once. */
export function judgeModeration({ model, categories }: ModerationGuardrail, moderate: Moderate): Look {
  return {
    async judge({ texts, facts }, signal) {
      const text = texts.map((placed) => placed.text).join('\n')
      if (text === '') return passed
      const said = await moderate({ model, text, facts }, signal)
      const found = Object.keys(said.categories).filter((name) => said.categories[name] === true)
      const counted = categories ? found.filter((name) => categories.includes(name)) : found
      if (categories ? counted.length === 0 : !said.flagged) return passed
      const counts = Object.fromEntries(counted.map((name) => [name, 1]))
      return { outcome: 'refused', reason: 'moderation has flagged it', counts }
    },
  }
}

/** Asks a function of the host's. */
export function judgeCustom({ check }: CustomGuardrail): Look {
  return {
    async judge({ texts, direction, facts }, signal) {
      const input = { texts: texts.map(({ text }) => text), direction, callId: facts.callId, callerId: facts.caller.id }
      const said = await check(input, signal)
      if (!said) return passed
      if ('refuse' in said) return { outcome: 'refused', reason: said.refuse, counts: { custom: 1 } }
      return changed(said.texts, texts.length)
    },
  }
}

function changed(texts: readonly unknown[], wanted: number): Judgement {
  const given = texts.filter((text) => typeof text === 'string')
  if (given.length !== wanted) throw new Error(`${given.length} texts came back for ${wanted}.`)
  return { outcome: 'masked', texts: given, counts: { changed: 1 } }
}

/** How a service is reached. */
export interface HttpJudgeParts {
  readonly http: OutboundHttp
  readonly apiKey: Secret | undefined
}

/**
 * Asks a service in the format of LiteLLM's generic guardrail API
 * (https://docs.litellm.ai/docs/adding_provider/generic_guardrail_api).
 */
export function judgeHttp({ url, headers, params }: HttpGuardrail, { http, apiKey }: HttpJudgeParts): Look {
  return {
    async judge(input, signal) {
      const key = apiKey && { 'x-api-key': apiKey.reveal() }
      const response = await http(
        {
          method: 'POST',
          url,
          headers: { 'content-type': 'application/json', ...headers, ...key },
          body: JSON.stringify(toBody(input, params)),
        },
        signal,
      )
      if (response.status !== 200) throw new Error(`The service answered ${response.status}.`)
      return fromBody(parseJson(response.text), input.texts.length)
    },
  }
}

function toBody({ texts, direction, request, facts, extra }: RuleInput, params: JsonObject | undefined): JsonObject {
  const { caller, callId } = facts
  const scopes = Object.fromEntries(caller.scopes.map(({ kind, id }) => [kind, id]))
  return {
    texts: texts.map(({ text }) => text),
    images: [],
    tools: request['tools'] ?? [],
    ...(direction === 'request' && { structured_messages: request['messages'] }),
    request_data: {
      user_api_key_user_id: scopes['user'] ?? caller.id,
      user_api_key_team_id: scopes['team'],
      user_api_key_org_id: scopes['organization'],
      user_api_key_end_user_id: scopes['customer'],
    },
    request_headers: {},
    input_type: direction,
    litellm_call_id: callId,
    additional_provider_specific_params: { ...params, ...extra },
  }
}

function fromBody(body: unknown, wanted: number): Judgement {
  if (!isObject(body)) throw new Error('The service did not answer with an object.')
  const { action, blocked_reason: note, texts } = body
  if (action === 'BLOCKED') {
    const reason = stringOf(note)
    return {
      outcome: 'refused',
      reason: 'a service has blocked it',
      counts: { blocked: 1 },
      ...(reason && { note: reason }),
    }
  }
  if (action === 'NONE') return passed
  if (action !== 'GUARDRAIL_INTERVENED' || !Array.isArray(texts)) throw new Error('The service gave no known action.')
  return changed(texts, wanted)
}
