import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import { readFailure } from '../protocols/failure.js'
import { openaiProtocol } from '../protocols/openai/index.js'
import type { Quirks } from '../protocols/openai/quirks.js'
import type { Codec } from '../protocols/protocol.js'
import { placeOf, watsonxCodecs } from '../protocols/watsonx/index.js'
import { fetchIamToken, ibmIamUrl } from '../upstream/ibm-iam.js'
import type { UpstreamRequest } from '../upstream/message.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { withDeploymentHeaders, withHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { AuthorizeContext, Provider, SettingRule } from './provider.js'
import { settingOf } from './settings.js'

const quirks: Quirks = {
  // Every stream ends with usage, asked for or not.
  streamOptions: false,
  unsupported: [
    'audio',
    'function_call',
    'functions',
    'metadata',
    'modalities',
    'parallel_tool_calls',
    'prediction',
    'prompt_cache_key',
    'safety_identifier',
    'service_tier',
    'store',
    'user',
    'verbosity',
    'web_search_options',
  ],
  messages: { dropNulls: true },
  tools: { dropStrict: true, dropAdditionalProperties: true },
  reasoning: 'reasoning_effort',
}

const plain = openaiProtocol(quirks).codecs.chat

/** Chat: https://cloud.ibm.com/apidocs/watsonx-ai#text-chat. OpenAI's shapes, with model and project in other members. */
const chat: Codec<'chat'> = {
  encode(exchange) {
    const stream = exchange.request.stream === true
    const { deployment, request } = exchange
    const place = placeOf(deployment, stream ? 'text/chat_stream' : 'text/chat', { ...deployment.params, ...request })
    const adjust = (body: JsonObject): JsonObject => toChatBody(body, place.body)
    const sent = openaiProtocol({ ...quirks, adjust }).codecs.chat?.encode(exchange)
    return { ...chatCodec(sent), path: place.path, headers: headersFor(stream) }
  },
  decode: (body, exchange) => chatCodec(plain).decode(body, exchange),
  decodeStream: (exchange) => chatCodec(plain?.decodeStream?.(exchange)),
}

function chatCodec<T>(part: T | undefined): T {
  if (part === undefined) throw new TypeError("OpenAI's dialect has no chat")
  return part
}

const headersFor = (stream: boolean): UpstreamRequest['headers'] => ({
  'content-type': 'application/json',
  accept: stream ? 'text/event-stream' : 'application/json',
})

function toChatBody(body: JsonObject, place: JsonObject): JsonObject {
  const { model: _model, stream: _stream, tool_choice: choice, ...rest } = body
  // A choice by name is an object, the others have a member of their own.
  const chosen = typeof choice === 'string' ? { tool_choice_option: choice } : choice && { tool_choice: choice }
  return { ...rest, ...(isObject(chosen) && chosen), ...place }
}

const settings: Readonly<Record<string, SettingRule>> = {
  projectId: { env: ['WATSONX_PROJECT_ID', 'WX_PROJECT_ID', 'PROJECT_ID'] },
  spaceId: { env: ['WATSONX_SPACE_ID', 'WATSONX_DEPLOYMENT_SPACE_ID', 'WX_SPACE_ID', 'SPACE_ID'] },
  /** A bearer token, in place of an API key. */
  token: { env: ['WATSONX_TOKEN'], secret: true },
  /** Cloud Pak for Data: base64 of `user:key`. */
  zenApiKey: { env: ['WATSONX_ZENAPIKEY'], secret: true },
  iamUrl: { env: ['WATSONX_IAM_URL'] },
}

/** A token or key of the deployment's own, else one that IAM gives for its API key. */
function authorize(
  request: UpstreamRequest,
  deployment: Deployment,
  context: AuthorizeContext,
): UpstreamRequest | Promise<UpstreamRequest> {
  const prepared = withDeploymentHeaders(request, deployment)
  if (prepared.headers['authorization'] !== undefined) return prepared
  const zenApiKey = settingOf(deployment, 'zenApiKey')
  if (zenApiKey !== undefined) return withHeaders(prepared, { authorization: `ZenApiKey ${zenApiKey}` })
  const token = settingOf(deployment, 'token')
  if (token !== undefined) return withHeaders(prepared, { authorization: `Bearer ${token}` })
  if (!deployment.apiKey) {
    const advice = 'set apiKey (WATSONX_APIKEY), or settings.token, or settings.zenApiKey'
    throw new GatewayError('upstream_authentication', `The deployment has no credential for IBM watsonx.ai: ${advice}.`)
  }
  return authorizeByIam(prepared, deployment, deployment.apiKey.reveal(), context)
}

async function authorizeByIam(
  request: UpstreamRequest,
  deployment: Deployment,
  apiKey: string,
  { tokens, clock }: AuthorizeContext,
): Promise<UpstreamRequest> {
  const iamUrl = settingOf(deployment, 'iamUrl') ?? ibmIamUrl
  const key = `ibm-iam ${iamUrl} ${apiKey}`
  const token = await tokens.get(key, (exchange) => fetchIamToken(exchange, apiKey, iamUrl, clock.now()))
  return withHeaders(request, { authorization: `Bearer ${token}` })
}

const base = {
  aliases: [],
  baseUrl: undefined,
  baseUrlEnv: ['WATSONX_API_BASE', 'WATSONX_URL', 'WX_URL', 'WML_URL'],
  apiKeyEnv: ['WATSONX_APIKEY', 'WATSONX_API_KEY', 'WX_API_KEY'],
  // A token or a key of Cloud Pak for Data stands in for it.
  apiKeyRequired: false,
  status: 'active',
  notice: undefined,
  settings,
  completeBaseUrl: (url: string) => withoutEnding(url, ['/ml/v1', '/ml']),
  authorize,
} as const

const { completions, embeddings, chatOverText } = watsonxCodecs

/** IBM watsonx.ai: https://{region}.ml.cloud.ibm.com, or a Cloud Pak for Data. */
export const watsonx: Provider = {
  ...base,
  name: 'watsonx',
  displayName: 'IBM watsonx.ai',
  protocol: { name: 'watsonx', failure: readFailure, codecs: { chat, completions, embeddings } },
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: false },
}

/** The models of watsonx.ai that have no chat: a conversation becomes one text to be continued. */
export const watsonxText: Provider = {
  ...base,
  name: 'watsonx_text',
  displayName: 'IBM watsonx.ai (text generation)',
  protocol: { name: 'watsonx', failure: readFailure, codecs: { chat: chatOverText, completions } },
  capabilities: { chat: true, stream: true, completions: true, embeddings: false, images: false },
}
