import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import { openaiProtocol } from '../protocols/openai/index.js'
import type { Codec, Protocol } from '../protocols/protocol.js'
import type { JsonObject } from '../wire/json.js'
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

function withDeploymentPath<K extends 'chat' | 'completions'>(codec: Codec<K>): Codec<K> {
  return {
    ...codec,
    encode(exchange) {
      const { deployment } = exchange
      const sent = codec.encode(exchange)
      const place = `/${tenantOf(deployment)}/deployments/v2/llms/${encodeURIComponent(deployment.model)}`
      return { ...sent, path: `${place}/v1${sent.path}` }
    },
  }
}

function extend(protocol: Protocol): Protocol {
  const { chat, completions } = protocol.codecs
  return {
    ...protocol,
    codecs: {
      ...(chat && { chat: withDeploymentPath(chat) }),
      ...(completions && { completions: withDeploymentPath(completions) }),
    },
  }
}

const row: Row = {
  displayName: 'Predibase',
  baseUrl: 'https://serving.app.predibase.com',
  baseUrlEnv: ['PREDIBASE_API_BASE'],
  apiKeyEnv: ['PREDIBASE_API_KEY'],
  settings: { tenantId: { env: ['PREDIBASE_TENANT_ID'] } },
  capabilities: ['chat', 'stream', 'completions'],
  status: 'limited',
  quirks: { rename: { max_completion_tokens: 'max_tokens' }, adjust: toAdapter },
  extend,
}

/** Predibase, over the OpenAI-compatible endpoint that every deployment has: https://docs.predibase.com */
export const predibase: Provider = toProvider('predibase', row, openaiProtocol)
