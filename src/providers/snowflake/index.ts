import type { Deployment } from '../../deployment.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import { cortexChat } from '../../protocols/cortex/index.js'
import type { Exchange, Protocol } from '../../protocols/protocol.js'
import { missingBaseUrl, withoutEnding } from '../base-url.js'
import { chooseCodec } from '../choose-codec.js'
import { createRowProtocol } from '../openai-compatible/row-protocol.js'
import type { Provider } from '../provider.js'
import { settingOf } from '../settings.js'
import { withSignedReasoning } from '../signed-reasoning.js'
import { authorizeSnowflake } from './authorize.js'
import { textsToEmbed, withNestedVectors } from './embeddings.js'
import { reasoningDetails } from './reasoning.js'

const dialect = createRowProtocol(openaiProtocol, {
  quirks: {
    paths: { chat: '/cortex/v1/chat/completions', embeddings: '/cortex/inference:embed' },
    embeddings: { base64: false, tokens: false, dimensions: false, unsupported: ['user'] },
    adjust: textsToEmbed,
  },
  variants: [
    { models: /claude/i, operation: 'chat', quirks: { reasoning: 'reasoning_object' } },
    { models: /llama|mistral|mixtral|snowflake-arctic/i, operation: 'chat', quirks: { reasoning: 'none' } },
  ],
})

const { chat, embeddings } = dialect.codecs
if (!chat || !embeddings) throw new TypeError('the dialect of OpenAI has lost an operation')

const asksForOwnApi = ({ deployment }: Exchange<'chat'>): boolean => settingOf(deployment, 'api') === 'complete'

const protocol: Protocol = {
  name: 'snowflake',
  codecs: {
    chat: chooseCodec(withSignedReasoning(chat, reasoningDetails), cortexChat, asksForOwnApi),
    embeddings: withNestedVectors(embeddings),
  },
  failure: (status, body) => dialect.failure(status, body),
}

/**
 * Snowflake Cortex's REST API: chat in OpenAI's dialect, or over its own `inference:complete`. `apiKey` is a programmatic access token (`pat/…` says so) or a
 * JWT; else the settings `account`, `user` and `privateKey` sign one.
 */
export const snowflake: Provider = {
  name: 'snowflake',
  displayName: 'Snowflake Cortex',
  aliases: [],
  protocol,
  baseUrl: accountUrl,
  baseUrlEnv: ['SNOWFLAKE_API_BASE'],
  apiKeyEnv: ['SNOWFLAKE_JWT', 'SNOWFLAKE_PAT'],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: false },
  status: 'active',
  notice: undefined,
  completeBaseUrl(url) {
    const base = withoutEnding(url, ['/cortex/v1/chat/completions', '/cortex/inference:complete', '/cortex/v1'])
    return new URL(base).pathname === '/' ? `${base}/api/v2` : base
  },
  settings: {
    account: { env: ['SNOWFLAKE_ACCOUNT_ID', 'SNOWFLAKE_ACCOUNT'] },
    user: { env: ['SNOWFLAKE_USER'] },
    /** PEM. */
    privateKey: { env: ['SNOWFLAKE_PRIVATE_KEY'], secret: true },
    privateKeyPassphrase: { env: ['SNOWFLAKE_PRIVATE_KEY_PASSPHRASE'], secret: true },
    /** `complete` asks the API that there was before the one in OpenAI's dialect: `inference:complete`. */
    api: { env: [] },
    /** `OAUTH`, `KEYPAIR_JWT` or `PROGRAMMATIC_ACCESS_TOKEN`, for an apiKey. */
    tokenType: { env: [] },
  },
  authorize: authorizeSnowflake,
}

function accountUrl(deployment: Deployment): string {
  if (deployment.baseUrl !== undefined) return deployment.baseUrl
  const account = settingOf(deployment, 'account')
  if (account === undefined || !/^[A-Za-z0-9._-]+$/.test(account)) throw missingBaseUrl(snowflake)
  // Host names know no underscore.
  return `https://${account.replaceAll('_', '-').toLowerCase()}.snowflakecomputing.com/api/v2`
}
