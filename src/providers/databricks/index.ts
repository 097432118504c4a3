import { createHash } from 'node:crypto'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Codec, Protocol } from '../../protocols/protocol.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { fetchOauthToken } from '../../upstream/oauth.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import type { Operation } from '../../wire/operations.js'
import { authorizeBearer, withDeploymentHeaders, withHeaders } from '../authorize.js'
import { withoutEnding } from '../base-url.js'
import { adjustOnly } from '../openai-compatible/adjust.js'
import { createRowProtocol } from '../openai-compatible/row-protocol.js'
import type { AuthorizeContext, Provider } from '../provider.js'
import { settingOf } from '../settings.js'
import { withSignedReasoning } from '../signed-reasoning.js'
import { contentReasoning } from './reasoning.js'

// https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference
const dialect = createRowProtocol(openaiProtocol, {
  quirks: {
    rename: { max_completion_tokens: 'max_tokens' },
    supported: [
      'logprobs',
      'max_tokens',
      'n',
      'reasoning_effort',
      'response_format',
      'stop',
      'temperature',
      'thinking',
      'tool_choice',
      'tools',
      'top_logprobs',
      'top_p',
    ],
    messages: { dropName: 'always', dropEmptyAssistant: true, keepCacheControl: /claude/i },
    // Databricks publishes no limit for its endpoints; more calls than needed cost nothing, too large a one is refused.
    embeddings: { most: 150, base64: false, tokens: false },
    adjust: adjustOnly('chat', withoutEmptyText),
  },
  variants: [{ models: /claude/i, operation: 'chat', quirks: { reasoning: 'thinking_budget' } }],
})

/** Claude refuses text parts that hold nothing. */
function withoutEmptyText(body: JsonObject): JsonObject {
  const { messages } = body
  if (!Array.isArray(messages)) return body
  return { ...body, messages: messages.map(withText) }
}

function withText(message: unknown): unknown {
  if (!isObject(message) || !Array.isArray(message['content'])) return message
  const parts: readonly unknown[] = message['content']
  const kept = parts.filter((part) => !isObject(part) || part['type'] !== 'text' || part['text'] !== '')
  return kept.length === parts.length ? message : { ...message, content: kept.length === 0 ? null : kept }
}

/** One model's own address ends in `/invocations` and takes every operation there. */
function place<K extends Operation>(codec: Codec<K> | undefined): Codec<K> {
  if (!codec) throw new TypeError('the dialect of OpenAI has lost an operation')
  return {
    ...codec,
    encode(exchange) {
      const request = codec.encode(exchange)
      const isOwn = exchange.deployment.baseUrl?.endsWith('/invocations') === true
      return isOwn ? { ...request, path: '/invocations' } : request
    },
  }
}

const protocol: Protocol = {
  name: 'databricks',
  codecs: {
    chat: withSignedReasoning(place(dialect.codecs.chat), contentReasoning),
    embeddings: place(dialect.codecs.embeddings),
  },
  failure: (status, body) => dialect.failure(status, body),
}

/** Databricks' serving endpoints. Signs with a personal access token, or a service principal's id and secret. */
export const databricks: Provider = {
  name: 'databricks',
  displayName: 'Databricks',
  aliases: [],
  protocol,
  baseUrl: undefined,
  baseUrlEnv: ['DATABRICKS_API_BASE', 'DATABRICKS_HOST'],
  apiKeyEnv: ['DATABRICKS_API_KEY', 'DATABRICKS_TOKEN'],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: false },
  status: 'active',
  notice: undefined,
  completeBaseUrl(url) {
    const base = withoutEnding(url, ['/chat/completions', '/embeddings'])
    return new URL(base).pathname === '/' ? `${base}/serving-endpoints` : base
  },
  settings: {
    clientId: { env: ['DATABRICKS_CLIENT_ID'] },
    clientSecret: { env: ['DATABRICKS_CLIENT_SECRET'], secret: true },
  },
  authorize: (request, deployment, context) =>
    authorize(withDeploymentHeaders(request, deployment), deployment, context),
}

function authorize(
  request: UpstreamRequest,
  deployment: Deployment,
  { tokens, clock, url }: AuthorizeContext,
): UpstreamRequest | Promise<UpstreamRequest> {
  const [id, secret] = [settingOf(deployment, 'clientId'), settingOf(deployment, 'clientSecret')]
  if (deployment.apiKey) return authorizeBearer(request, deployment)
  if (id === undefined || secret === undefined) {
    if ('authorization' in request.headers) return request
    throw new GatewayError(
      'upstream_authentication',
      `"${deployment.modelName}" needs apiKey (DATABRICKS_API_KEY or DATABRICKS_TOKEN), or settings clientId and clientSecret.`,
    )
  }
  const { origin } = new URL(url)
  const grant = {
    issuer: 'Databricks',
    url: `${origin}/oidc/v1/token`,
    basic: { id, secret },
    form: { grant_type: 'client_credentials', scope: 'all-apis' },
  }
  const key = createHash('sha256')
    .update(JSON.stringify([origin, id, secret]))
    .digest('hex')
  const token = tokens.get(`databricks ${key}`, (exchange) => fetchOauthToken(grant, exchange, clock))
  return token.then((text) => withHeaders(request, { authorization: `Bearer ${text}` }))
}
