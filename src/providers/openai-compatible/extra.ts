import { authorizeBearerAndHeader } from '../authorize.js'
import { withoutEnding } from '../base-url.js'
import { nullEffort } from './adjust.js'
import { chatAsCompletion } from './answers.js'
import { chat, chatAndCompletions, chatAndEmbeddings, chatEmbeddingsImages, floats, maxTokens } from './presets.js'
import type { Rows } from './row.js'

/** Clarifai names a model by its address; `user.app.model` is the short form. */
function clarifaiModel(model: string): string {
  const [user, app, ...name] = model.split('.')
  if (model.includes('/') || name.length === 0) return model
  return `https://clarifai.com/${user}/${app}/models/${name.join('.')}`
}

/** Hosts that need more than an address and a key. */
export const extraRows: Rows = {
  publicai: {
    displayName: 'PublicAI',
    baseUrl: 'https://api.publicai.co/v1',
    baseUrlEnv: ['PUBLICAI_API_BASE'],
    apiKeyEnv: ['PUBLICAI_API_KEY'],
    capabilities: chat,
    quirks: { ...maxTokens, messages: { flattenText: true } },
  },
  veniceai: {
    displayName: 'Venice AI',
    baseUrl: 'https://api.venice.ai/api/v1',
    baseUrlEnv: ['VENICEAI_API_BASE'],
    apiKeyEnv: ['VENICE_AI_API_KEY'],
    capabilities: chat,
    quirks: { messages: { reasoningContent: 'as_given' } },
  },
  xiaomi_mimo: {
    displayName: 'Xiaomi MiMo',
    baseUrl: 'https://api.xiaomimimo.com/v1',
    baseUrlEnv: ['XIAOMI_MIMO_API_BASE'],
    apiKeyEnv: ['XIAOMI_MIMO_API_KEY'],
    capabilities: chat,
    quirks: { ...maxTokens, reasoning: 'thinking_type', messages: { reasoningContent: 'as_given' } },
  },
  synthetic: {
    displayName: 'Synthetic',
    baseUrl: 'https://api.synthetic.new/openai/v1',
    baseUrlEnv: ['SYNTHETIC_API_BASE'],
    apiKeyEnv: ['SYNTHETIC_API_KEY'],
    capabilities: chat,
    quirks: maxTokens,
  },
  apertis: {
    displayName: 'Apertis (Stima)',
    baseUrl: 'https://api.stima.tech/v1',
    baseUrlEnv: ['APERTIS_API_BASE'],
    apiKeyEnv: ['STIMA_API_KEY'],
    capabilities: chat,
    quirks: maxTokens,
  },
  'nano-gpt': {
    displayName: 'NanoGPT',
    baseUrl: 'https://nano-gpt.com/api/v1',
    baseUrlEnv: ['NANO_GPT_API_BASE'],
    apiKeyEnv: ['NANOGPT_API_KEY'],
    capabilities: chat,
    quirks: maxTokens,
  },
  poe: {
    displayName: 'Poe',
    baseUrl: 'https://api.poe.com/v1',
    baseUrlEnv: ['POE_API_BASE'],
    apiKeyEnv: ['POE_API_KEY'],
    capabilities: chat, // Poe ignores the parameter; its bots take settings of their own, which pass as unknown fields.
    quirks: { ...maxTokens, reasoning: 'none' },
  },
  chutes: {
    displayName: 'Chutes',
    baseUrl: 'https://llm.chutes.ai/v1',
    baseUrlEnv: ['CHUTES_API_BASE'],
    apiKeyEnv: ['CHUTES_API_KEY'],
    capabilities: chat,
    quirks: maxTokens,
  },
  llamagate: {
    displayName: 'LlamaGate',
    baseUrl: 'https://api.llamagate.dev/v1',
    baseUrlEnv: ['LLAMAGATE_API_BASE'],
    apiKeyEnv: ['LLAMAGATE_API_KEY'],
    capabilities: chat,
    quirks: maxTokens,
  },
  sarvam: {
    displayName: 'Sarvam AI',
    baseUrl: 'https://api.sarvam.ai/v1',
    baseUrlEnv: ['SARVAM_API_BASE'],
    apiKeyEnv: ['SARVAM_API_KEY'],
    capabilities: chat, // JSON null is what switches reasoning off.
    quirks: { ...maxTokens, efforts: { minimal: 'low', xhigh: 'high', max: 'high' }, adjust: nullEffort },
    authorize: authorizeBearerAndHeader('api-subscription-key'),
  },
  charity_engine: {
    displayName: 'Charity Engine',
    baseUrl: 'https://api.charityengine.services/remotejobs/v2/inference',
    baseUrlEnv: ['CHARITY_ENGINE_API_BASE'],
    apiKeyEnv: ['CHARITY_ENGINE_API_KEY'],
    capabilities: chat,
    quirks: maxTokens,
  },
  wandb: {
    displayName: 'W&B Inference',
    baseUrl: 'https://api.inference.wandb.ai/v1',
    baseUrlEnv: ['WANDB_API_BASE'],
    apiKeyEnv: ['WANDB_API_KEY'],
    capabilities: chat,
    quirks: { reasoning: 'chat_template' },
  },
  vercel_ai_gateway: {
    displayName: 'Vercel AI Gateway',
    baseUrl: 'https://ai-gateway.vercel.sh/v1',
    baseUrlEnv: ['VERCEL_AI_GATEWAY_API_BASE'],
    apiKeyEnv: ['VERCEL_AI_GATEWAY_API_KEY', 'VERCEL_OIDC_TOKEN'],
    capabilities: chatAndEmbeddings,
    headersEnv: { 'http-referer': ['VERCEL_SITE_URL'], 'x-title': ['VERCEL_APP_NAME'] },
    quirks: {
      reasoning: 'reasoning_object',
      messages: { keepCacheControl: /anthropic/ },
      // https://vercel.com/docs/ai-gateway/models-and-providers/model-fallbacks
      hostOnly: ['models', 'providerOptions.gateway.models'],
    },
  },
  clarifai: {
    displayName: 'Clarifai',
    baseUrl: 'https://api.clarifai.com/v2/ext/openai/v1',
    baseUrlEnv: ['CLARIFAI_API_BASE'],
    apiKeyEnv: ['CLARIFAI_API_KEY'],
    capabilities: chat,
    quirks: { modelName: clarifaiModel },
  },
  codestral: {
    displayName: 'Codestral (Mistral)',
    baseUrl: 'https://codestral.mistral.ai/v1',
    aliases: ['text-completion-codestral'],
    baseUrlEnv: ['CODESTRAL_API_BASE'],
    apiKeyEnv: ['CODESTRAL_API_KEY'],
    capabilities: chatAndCompletions,
    quirks: {
      ...maxTokens,
      rename: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
      paths: { completions: '/fim/completions' },
      streamOptions: false,
      unsupported: ['best_of', 'echo', 'frequency_penalty', 'logit_bias', 'logprobs', 'n', 'presence_penalty', 'user'],
    },
    answers: { completions: chatAsCompletion },
  },
  datarobot: {
    displayName: 'DataRobot',
    baseUrl: 'https://app.datarobot.com',
    baseUrlEnv: ['DATAROBOT_API_BASE', 'DATAROBOT_ENDPOINT'],
    apiKeyEnv: ['DATAROBOT_API_TOKEN'],
    capabilities: chat, // Its own variable ends with the version of the API.
    completeBaseUrl: (url) => withoutEnding(url, ['/api/v2/genai/llmgw', '/api/v2']),
    quirks: { paths: { chat: '/api/v2/genai/llmgw/chat/completions' } },
  },
  bedrock_mantle: {
    displayName: 'Bedrock Mantle',
    baseUrlEnv: ['BEDROCK_MANTLE_API_BASE'],
    apiKeyEnv: ['BEDROCK_MANTLE_API_KEY'],
    capabilities: chat,
    regional: {
      template: 'https://bedrock-mantle.{region}.api.aws/v1',
      regionEnv: ['BEDROCK_MANTLE_REGION', 'AWS_REGION'],
      defaultRegion: 'us-east-1',
    },
  },
  kluster: {
    displayName: 'kluster.ai',
    baseUrl: 'https://api.kluster.ai/v1',
    baseUrlEnv: ['KLUSTER_API_BASE'],
    apiKeyEnv: ['KLUSTER_API_KEY'],
    capabilities: chatAndEmbeddings,
    quirks: floats,
  },
  siliconflow: {
    displayName: 'SiliconFlow',
    baseUrl: 'https://api.siliconflow.cn/v1',
    baseUrlEnv: ['SILICONFLOW_API_BASE'],
    apiKeyEnv: ['SILICONFLOW_API_KEY'],
    capabilities: chatEmbeddingsImages,
    quirks: {
      embeddings: { ...floats.embeddings, most: 32 },
      reasoning: 'enable_thinking',
      clamp: { thinking_budget: { min: 128, max: 32_768 } },
    },
  },
  upstage: {
    displayName: 'Upstage Solar',
    baseUrl: 'https://api.upstage.ai/v1/solar',
    baseUrlEnv: ['UPSTAGE_API_BASE'],
    apiKeyEnv: ['UPSTAGE_API_KEY'],
    capabilities: chatAndEmbeddings,
    // https://developers.upstage.ai/docs/apis/embeddings
    quirks: { embeddings: { ...floats.embeddings, most: 100 } },
  },
  iointelligence: {
    displayName: 'io.net Intelligence',
    baseUrl: 'https://api.intelligence.io.solutions/api/v1',
    baseUrlEnv: ['IOINTELLIGENCE_API_BASE'],
    apiKeyEnv: ['IOINTELLIGENCE_API_KEY'],
    capabilities: chatAndEmbeddings,
    quirks: floats,
  },
  zenmux: {
    displayName: 'ZenMux',
    baseUrl: 'https://zenmux.ai/api/v1',
    baseUrlEnv: ['ZENMUX_API_BASE'],
    apiKeyEnv: ['ZENMUX_API_KEY'],
    capabilities: chat,
    quirks: { reasoning: 'reasoning_object' },
  },
}
