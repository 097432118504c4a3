import type { Deployment } from '../../deployment.js'
import type { Protocol } from '../../protocols/protocol.js'
import type { Quirks } from '../../protocols/openai/quirks.js'
import type { Operation } from '../../wire/operations.js'
import { type Authorize, authorizeBearer, withDeploymentHeaders, withHeaders } from '../authorize.js'
import { withoutEnding } from '../base-url.js'
import type { Provider, ProviderStatus, RegionalBaseUrl } from '../provider.js'
import { type ResponsesRoute, withResponses } from '../responses.js'
import { createRowProtocol, type RowDialect } from './row-protocol.js'

/** One thing a provider can do, as a row lists it. */
export type Capability = Operation | 'stream'

/** A provider that speaks OpenAI's dialect, as data; what is left out is as at OpenAI. */
export interface Row extends RowDialect {
  readonly displayName: string
  /** Other prefixes of the same provider. */
  readonly aliases?: readonly string[]
  /** Without trailing slash; absent where every deployment brings its own. */
  readonly baseUrl?: string | ((deployment: Deployment) => string)
  readonly baseUrlEnv: readonly string[]
  readonly apiKeyEnv: readonly string[]
  /** @default true */
  readonly apiKeyRequired?: boolean
  readonly capabilities: readonly Capability[]
  /** @default 'active' */
  readonly status?: ProviderStatus
  /** What a call to the default address of a retired provider is told. */
  readonly notice?: string
  /** Sent with every request unless the deployment sets them. */
  readonly headers?: Readonly<Record<string, string>>
  readonly headersEnv?: Readonly<Record<string, readonly string[]>>
  /** @default authorizeBearer */
  readonly authorize?: Authorize
  readonly regional?: RegionalBaseUrl
  /** When its chat goes over the Responses API. @default never */
  readonly responses?: ResponsesRoute
  /** What the provider has beyond OpenAI's dialect, laid over the row's protocol. */
  readonly extend?: (protocol: Protocol) => Protocol
  readonly settings?: Provider['settings']
  readonly costReport?: Provider['costReport']
  readonly priceLimit?: Provider['priceLimit']
  /** Brings what a host gives as base URL to the one our paths are appended to; endings of endpoints are already cut off. */
  readonly completeBaseUrl?: (url: string) => string
}

/** Rows by the name that prefixes their models. */
export type Rows = Readonly<Record<string, Row>>

const endpoints = [
  '/chat/completions',
  '/embeddings',
  '/images/generations',
  '/completions',
  '/responses',
  '/moderations',
]

/** Makes the provider of a row; `speak` gives OpenAI's dialect for a set of quirks. */
export function toProvider(name: string, row: Row, speak: (quirks: Quirks) => Protocol): Provider {
  const { headers, authorize = authorizeBearer, regional, completeBaseUrl, headersEnv, responses, settings } = row
  const { costReport, priceLimit } = row
  const can = new Set(row.capabilities)
  const spoken = createRowProtocol(speak, row)
  const protocol = row.extend ? row.extend(spoken) : spoken
  return {
    name,
    displayName: row.displayName,
    aliases: row.aliases ?? [],
    protocol: responses ? withResponses(protocol, responses) : protocol,
    baseUrl: row.baseUrl,
    baseUrlEnv: row.baseUrlEnv,
    apiKeyEnv: row.apiKeyEnv,
    apiKeyRequired: row.apiKeyRequired ?? true,
    capabilities: {
      chat: can.has('chat'),
      stream: can.has('stream'),
      completions: can.has('completions'),
      embeddings: can.has('embeddings'),
      images: can.has('images'),
      ...(can.has('moderations') && { moderations: true }),
    },
    status: row.status ?? 'active',
    notice: row.notice,
    ...(headersEnv && { headersEnv }),
    ...(settings && { settings }),
    ...(regional && { regional }),
    ...(costReport && { costReport }),
    ...(priceLimit !== undefined && { priceLimit }),
    completeBaseUrl: (url) => {
      const base = withoutEnding(url, endpoints)
      return completeBaseUrl ? completeBaseUrl(base) : base
    },
    authorize: (request, deployment) => {
      const authorized = authorize(withDeploymentHeaders(request, deployment), deployment)
      return headers ? withHeaders(authorized, headers) : authorized
    },
  }
}
