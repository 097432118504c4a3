import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { ScriptedAnswer } from '../../../src/testing/script.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import type { Operation } from '../../../src/wire/operations.js'
import { awsException } from '../../support/aws-event-stream.js'

const file = new URL('../../../../shared/reference/providers.json', import.meta.url)

/** True where the table of providers is present. */
export const rowsAvailable = existsSync(file)

/** One row of the table. */
export interface Row {
  readonly id: string
  /** @default the id */
  readonly provider?: string
  /** Operations, and `stream`. */
  readonly claims: Readonly<Record<Claim, boolean>>
}

/** The operations that the table tells of. */
export type TableOperation = Exclude<Operation, 'moderations'>

/** What a row can claim. */
export type Claim = TableOperation | 'stream'

/** Every claim, and its name in the table. */
export const claimNames: Readonly<Record<Claim, string>> = {
  chat: 'chat',
  stream: 'stream',
  completions: 'text_completion',
  embeddings: 'embeddings',
  images: 'images',
}

/** Reads the table. */
export function readRows(): readonly Row[] {
  const rows: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!Array.isArray(rows)) throw new Error('the table of providers is no list')
  return rows.filter(isObject).map((row) => {
    const can = isObject(row['capabilities']) ? row['capabilities'] : {}
    const claimed = (name: Claim): boolean => can[claimNames[name]] === true
    const claims = {
      chat: claimed('chat'),
      stream: claimed('stream'),
      completions: claimed('completions'),
      embeddings: claimed('embeddings'),
      images: claimed('images'),
    }
    return { id: String(row['id']), claims }
  })
}

const chats = { chat: true, stream: true, completions: false, embeddings: false, images: false }

/** Second ways to a provider's models, driven as rows of their own. */
export const ways: readonly Row[] = [
  { id: 'aleph_alpha, chat', provider: 'aleph_alpha', claims: chats },
  { id: 'azure, dated', provider: 'azure', claims: { ...chats, embeddings: true } },
  { id: 'azure_ai, Claude', provider: 'azure_ai', claims: chats },
  { id: 'snowflake, complete', provider: 'snowflake', claims: chats },
  { id: 'vertex_ai, Llama', provider: 'vertex_ai', claims: chats },
]

/** How a row is reached at the fake upstream, where it is not OpenAI's way. */
export interface Setup {
  /** Behind the fake's address. */
  readonly base?: string
  /** Names of models that lead to the operation's API. */
  readonly models?: Partial<Readonly<Record<Operation, string>>>
  readonly settings?: JsonObject
  /** Settings that name a place at the fake. */
  readonly places?: Readonly<Record<string, string>>
  /** No key: the settings are the credential. */
  readonly keyless?: true
  /** The answer of a service that gives tokens, which is asked before the first call. */
  readonly token?: ScriptedAnswer
  /** Models of this provider take no tools, and say so. */
  readonly noTools?: true
  /** Answers that the dialect alone does not tell. */
  readonly answers?: Partial<Readonly<Record<Operation, ScriptedAnswer>>>
  /** An error inside a 200 whose stream is not text. */
  readonly inBand?: () => ScriptedAnswer
  /** Nobody counts tokens here. */
  readonly noUsage?: true
}

const awsKeys = { region: 'us-east-1', accessKeyId: 'AKIATEST', secretAccessKey: 'secret-test' }

function awsError(): ScriptedAnswer {
  return {
    headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    chunks: [awsException('throttlingException', 'Fake error inside the answer.')],
  }
}

function ociSettings(): JsonObject {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  return { tenancy: 't', user: 'u', fingerprint: 'aa:bb', key, compartmentId: 'c', region: 'us-chicago-1' }
}

const watsonx: Setup = {
  base: '/watsonx',
  settings: { projectId: 'p' },
  places: { iamUrl: '/watsonx/identity/token' },
  token: { body: { access_token: 'iam-token', expires_in: 3_600 } },
}

/** The rows that are not simply OpenAI's dialect at a base URL with a key. */
export const setups: Readonly<Record<string, Setup>> = {
  'azure, dated': { base: '', settings: { apiVersion: '2024-10-21' } },
  'azure_ai, Claude': { base: '', models: { chat: 'claude-sonnet-4-5' } },
  'vertex_ai, Llama': {
    base: '',
    keyless: true,
    settings: { project: 'p', location: 'us-central1', credentials: () => 'google-token' },
    models: { chat: 'meta/llama-3.3-70b-instruct-maas' },
  },
  aleph_alpha: { base: '/aleph_alpha', models: { chat: 'luminous-supreme-control' }, noTools: true },
  anthropic: { base: '' },
  azure: { base: '' },
  azure_ai: { base: '' },
  bedrock: {
    base: '/bedrock',
    keyless: true,
    settings: awsKeys,
    models: {
      chat: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
      completions: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
      embeddings: 'amazon.titan-embed-text-v2:0',
      images: 'amazon.nova-canvas-v1:0',
    },
    inBand: awsError,
  },
  black_forest_labs: { base: '/black_forest_labs', models: { images: 'flux-pro-1.1' } },
  cloudflare: { base: '/cloudflare/ai', settings: { accountId: 'a' } },
  cohere: { base: '/cohere' },
  databricks: {
    base: '/databricks',
    keyless: true,
    settings: { clientId: 'id', clientSecret: 'secret' },
    token: { body: { access_token: 'databricks-token', expires_in: 3_600 } },
  },
  codestral: { base: '/mistral/v1' },
  fal_ai: { base: '/fal_ai', models: { images: 'fal-ai/flux/dev' } },
  fireworks_ai: { base: '/fireworks_ai/v1' },
  featherless_ai: { noTools: true },
  gemini: { base: '', models: { embeddings: 'gemini-embedding-001', images: 'gemini-2.5-flash-image' } },
  gradient_ai: { noTools: true },
  huggingface: { base: '/huggingface' },
  mistral: { base: '/mistral' },
  nlp_cloud: { base: '/nlp_cloud', noTools: true },
  oci: { base: '/oci', keyless: true, settings: ociSettings() },
  ollama: { base: '/ollama' },
  palm: {
    base: '/palm',
    models: { chat: 'chat-bison-001', completions: 'text-bison-001' },
    noTools: true,
    noUsage: true,
  },
  petals: { base: '/petals', noTools: true, noUsage: true },
  perplexity: { noTools: true },
  predibase: { base: '/predibase', settings: { tenantId: 't' } },
  replicate: {
    base: '/replicate',
    models: { chat: 'meta/meta-llama-3-8b-instruct', images: 'black-forest-labs/flux-schnell' },
    noTools: true,
  },
  sagemaker: { base: '/sagemaker', keyless: true, settings: awsKeys, noTools: true, inBand: awsError },
  sagemaker_chat: { base: '/sagemaker_chat', keyless: true, settings: awsKeys, inBand: awsError },
  sagemaker_nova: { base: '/sagemaker_chat', keyless: true, settings: awsKeys, inBand: awsError },
  snowflake: { base: '/snowflake/api/v2', settings: { account: 'a' } },
  'snowflake, complete': { base: '/snowflake/api/v2', settings: { account: 'a', api: 'complete' } },
  stability: { base: '/stability', models: { images: 'stable-image-core' } },
  vertex_ai: {
    base: '/vertex_ai',
    keyless: true,
    settings: { project: 'p', location: 'us-central1', credentials: () => 'google-token' },
    models: {
      chat: 'gemini-2.5-flash',
      completions: 'gemini-2.5-flash',
      embeddings: 'text-embedding-005',
      images: 'imagen-4.0-generate-001',
    },
  },
  watsonx,
  watsonx_text: { ...watsonx, noTools: true },
}
