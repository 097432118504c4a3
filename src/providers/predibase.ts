import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import { openaiProtocol } from '../protocols/openai/index.js'
import { chatOverCompletions } from '../protocols/chat-over-completions.js'
import type { Codec, Exchange, Protocol } from '../protocols/protocol.js'
import { createTgiCompletions } from '../protocols/tgi/index.js'
import type { JsonObject } from '../wire/json.js'
import { chooseCodec } from './choose-codec.js'
import { type Row, toProvider } from './openai-compatible/row.js'
import type { Provider } from './provider.js'
import { settingOf } from './settings.js'

// The model in the body is an adapter on top of the deployment that the path names; without one it is empty.
const toAdapter = (body: JsonObject): JsonObject => {
  const { model: _model, adapter_id: adapter, adapter_source: _source, ...rest } = body
  return { ...rest, model: typeof adapter === 'string' ? adapter : '' }
}

/** @throws GatewayError invalid_request where the deployment does not name it */
function tenantOf(deployment: Deployment): string {
  const tenant = settingOf(deployment, 'tenantId')
  if (tenant !== undefined) return encodeURIComponent(tenant)
  const advice = 'set PREDIBASE_TENANT_ID, or settings.tenantId of the deployment'
  throw new GatewayError('invalid_request', `Predibase needs the id of a tenant: ${advice}.`, { param: 'settings' })
}

/** Where a deployment lives. */
const placeOf = (deployment: Deployment): string =>
  `/${tenantOf(deployment)}/deployments/v2/llms/${encodeURIComponent(deployment.model)}`

function withDeploymentPath<K extends 'chat' | 'completions'>(codec: Codec<K>): Codec<K> {
  return {
    ...codec,
    encode(exchange) {
      const sent = codec.encode(exchange)
      return { ...sent, path: `${placeOf(exchange.deployment)}/v1${sent.path}` }
    },
  }
}

// LoRAX, the server behind it, speaks the dialect of Text Generation Inference and streams at a path of its own.
const plain = createTgiCompletions(() => '/generate')
const native: Codec<'completions'> = {
  ...plain,
  encode(exchange) {
    const sent = plain.encode(exchange)
    return { ...sent, path: placeOf(exchange.deployment) + sent.path + (exchange.request.stream ? '_stream' : '') }
  },
}

const isNative = ({ deployment }: Exchange<'chat' | 'completions'>): boolean => settingOf(deployment, 'api') === 'tgi'

function extend(protocol: Protocol): Protocol {
  const { chat, completions } = protocol.codecs
  return {
    ...protocol,
    codecs: {
      ...(chat && { chat: chooseCodec(withDeploymentPath(chat), chatOverCompletions(native), isNative) }),
      ...(completions && { completions: chooseCodec(withDeploymentPath(completions), native, isNative) }),
    },
  }
}

const row: Row = {
  displayName: 'Predibase',
  baseUrl: 'https://serving.app.predibase.com',
  baseUrlEnv: ['PREDIBASE_API_BASE'],
  apiKeyEnv: ['PREDIBASE_API_KEY'],
  settings: {
    tenantId: { env: ['PREDIBASE_TENANT_ID'] },
    /** `tgi` asks the API that deployments had before their OpenAI-compatible one: `/generate`. */
    api: { env: [] },
  },
  capabilities: ['chat', 'stream', 'completions'],
  status: 'limited',
  quirks: { rename: { max_completion_tokens: 'max_tokens' }, adjust: toAdapter },
  extend,
}

/** Predibase, over the OpenAI-compatible endpoint that every deployment has, or its own: https://docs.predibase.com */
export const predibase: Provider = toProvider('predibase', row, openaiProtocol)
