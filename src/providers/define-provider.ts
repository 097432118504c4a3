import { InvalidRequestError } from '../errors.js'
import { anthropicProtocol } from '../protocols/anthropic/index.js'
import { geminiProtocol } from '../protocols/gemini/index.js'
import { openaiProtocol } from '../protocols/openai/index.js'
import type { Quirks } from '../protocols/openai/quirks.js'
import type { Protocol } from '../protocols/protocol.js'
import {
  type Authorize,
  authorizeAnthropic,
  authorizeBearer,
  authorizeGoogle,
  withAnthropicBetas,
  withDeploymentHeaders,
  withHeaders,
} from './authorize.js'
import { checkBaseUrl } from './base-url.js'
import { checkHeaders } from './headers.js'
import type { Provider } from './provider.js'

/** A dialect by name, or one of the host's own. */
type Dialect = 'openai' | 'anthropic' | 'gemini' | Protocol

/** A provider that a host declares; only `name` and, unless every deployment brings one, `baseUrl` are needed. */
export interface ProviderDefinition {
  /** The prefix of its models: letters, digits, `_`, `.` and `-`. */
  readonly name: string
  /** @default the name */
  readonly displayName?: string
  /** Other prefixes of the same provider. */
  readonly aliases?: readonly string[]
  /** `https://llm.example.com/v1`; the dialect's paths are appended. */
  readonly baseUrl?: string
  /** Variables looked up, in order, for a deployment without a base URL. */
  readonly baseUrlEnv?: string | readonly string[]
  /** Variables looked up, in order, for a deployment without a key. */
  readonly apiKeyEnv?: string | readonly string[]
  /** @default true where `apiKeyEnv` is given */
  readonly apiKeyRequired?: boolean
  /** Sent with every request unless a deployment sets them. */
  readonly headers?: Readonly<Record<string, string>>
  /** @default 'openai' */
  readonly protocol?: Dialect
  /** How it differs from OpenAI; for the dialect `openai` only. */
  readonly quirks?: Quirks
  /** @default what the protocol can do */
  readonly capabilities?: Partial<Provider['capabilities']>
  /** Adds the credential, after the deployment's headers. @default as the dialect does: Bearer, `x-api-key`, `x-goog-api-key` */
  readonly authorize?: Provider['authorize']
}

const namePattern = /^[a-z0-9][a-z0-9_.-]*$/i

/**
 * Declares a provider for `createGateway({ providers })`.
 * @throws InvalidRequestError naming the member that is wrong
 */
export function defineProvider(definition: ProviderDefinition): Provider {
  const { name, aliases = [], baseUrl, quirks } = definition
  for (const prefix of [name, ...aliases]) checkName(prefix)
  const dialect = toDialect(definition)
  const apiKeyEnv = listOf(definition.apiKeyEnv)
  const headers = checkHeaders(definition.headers ?? {}, `The provider ${name}`)
  const authorize = definition.authorize ?? dialect.authorize
  if (quirks && (definition.protocol ?? 'openai') !== 'openai') {
    throw new InvalidRequestError(`The provider ${name}: quirks apply to the protocol openai only.`, 'quirks')
  }
  return {
    name,
    displayName: definition.displayName ?? name,
    aliases,
    protocol: dialect.protocol,
    baseUrl: baseUrl === undefined ? undefined : checkBaseUrl(baseUrl, `The baseUrl of the provider ${name}`),
    baseUrlEnv: listOf(definition.baseUrlEnv),
    apiKeyEnv,
    apiKeyRequired: definition.apiKeyRequired ?? apiKeyEnv.length > 0,
    capabilities: { ...capabilitiesOf(dialect.protocol), ...definition.capabilities },
    status: 'active',
    notice: undefined,
    authorize: (request, deployment, context) =>
      authorize(withHeaders(dialect.prepare(request, deployment), headers), deployment, context),
  }
}

function checkName(name: unknown): void {
  if (typeof name === 'string' && namePattern.test(name)) return
  const shown = typeof name === 'string' ? `"${name}"` : typeof name
  throw new InvalidRequestError(
    `A provider's name consists of letters, digits, "_", "." and "-", and starts with a letter or digit; got ${shown}.`,
    'name',
  )
}

interface SpokenDialect {
  readonly protocol: Protocol
  readonly authorize: Authorize
  /** Adds the deployment's headers. */
  readonly prepare: Authorize
}

function toDialect({ name, protocol = 'openai', quirks = {} }: ProviderDefinition): SpokenDialect {
  if (typeof protocol === 'object') return { protocol, authorize: authorizeBearer, prepare: withDeploymentHeaders }
  switch (protocol) {
    case 'openai':
      return { protocol: openaiProtocol(quirks), authorize: authorizeBearer, prepare: withDeploymentHeaders }
    case 'anthropic':
      return { protocol: anthropicProtocol, authorize: authorizeAnthropic, prepare: withAnthropicBetas }
    case 'gemini':
      return { protocol: geminiProtocol, authorize: authorizeGoogle, prepare: withDeploymentHeaders }
    default:
      throw new InvalidRequestError(
        `The provider ${name}: protocol must be "openai", "anthropic", "gemini" or a Protocol of your own.`,
        'protocol',
      )
  }
}

function capabilitiesOf({ codecs }: Protocol): Provider['capabilities'] {
  return {
    chat: codecs.chat !== undefined,
    stream: codecs.chat?.decodeStream !== undefined,
    completions: codecs.completions !== undefined,
    embeddings: codecs.embeddings !== undefined,
    images: codecs.images !== undefined,
    ...(codecs.moderations && { moderations: true }),
  }
}

function listOf(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === 'string' ? [names] : names
}
