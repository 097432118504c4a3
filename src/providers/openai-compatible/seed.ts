import { aimlImage, openrouterImage, openrouterImages, togetherImage } from './images.js'
import { chatTemplateArgs, dropTextFormat, groqServiceTier } from './adjust.js'
import {
  allText,
  chat,
  chatAndCompletions,
  chatAndEmbeddings,
  chatEmbeddingsImages,
  everything,
  floats,
  maxTokens,
  openaiImageParameters,
  toolParameters,
} from './presets.js'
import { withJurassic } from '../ai21.js'
import { groqSchemas, groqWithoutSchema } from '../groq.js'
import type { Rows } from './row.js'

/** Providers that a gateway of this kind has always had. */
export const seedRows: Rows = {
  meta_llama: {
    displayName: 'Meta Llama API',
    baseUrl: 'https://api.llama.com/compat/v1',
    baseUrlEnv: ['LLAMA_API_BASE'],
    apiKeyEnv: ['LLAMA_API_KEY'],
    capabilities: chatAndCompletions,
    status: 'limited',
    variants: [
      {
        when: { parameter: 'response_format.type', isNot: ['json_schema'] },
        quirks: { unsupported: ['response_format'] },
      },
    ],
  },
  aiml: {
    displayName: 'AI/ML API',
    baseUrl: 'https://api.aimlapi.com/v1',
    baseUrlEnv: ['AIML_API_BASE'],
    apiKeyEnv: ['AIML_API_KEY', 'AIMLAPI_KEY'],
    capabilities: chatEmbeddingsImages,
    quirks: {
      ...floats,
      images: { rename: { n: 'num_images', response_format: 'output_format' } },
      adjust: aimlImage,
    },
  },
  mistral: {
    displayName: 'Mistral AI',
    baseUrl: 'https://api.mistral.ai/v1',
    baseUrlEnv: ['MISTRAL_API_BASE', 'MISTRAL_AZURE_API_BASE'],
    apiKeyEnv: ['MISTRAL_API_KEY', 'MISTRAL_AZURE_API_KEY'],
    capabilities: [...chatAndEmbeddings, 'moderations'],
    completeBaseUrl: (url) => (url.endsWith('/v1') ? url : `${url}/v1`),
    quirks: {
      rename: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
      // Mistral answers 422 to parameters that it does not know.
      unsupported: [
        'audio',
        'function_call',
        'functions',
        'logit_bias',
        'logprobs',
        'modalities',
        'safety_identifier',
        'service_tier',
        'store',
        'top_logprobs',
        'user',
        'verbosity',
        'web_search_options',
      ],
      // Every stream ends with usage, asked for or not.
      streamOptions: false,
      requiredToolChoice: 'any',
      messages: {
        flattenText: true,
        dropName: 'except_tool',
        dropNulls: true,
        dropEmptyAssistant: true,
        shortToolCallIds: true,
        plainToolCalls: true,
      },
      tools: { dropStrict: true, dropAdditionalProperties: true, dropSchemaKeys: true },
      embeddings: { base64: false, tokens: false, dimensions: 'output_dimension', unsupported: ['user'] },
      efforts: { minimal: 'high', low: 'high', medium: 'high', xhigh: 'high', max: 'high' },
    },
  },
  empower: {
    displayName: 'Empower',
    baseUrl: 'https://app.empower.dev/api/v1',
    baseUrlEnv: ['EMPOWER_API_BASE'],
    apiKeyEnv: ['EMPOWER_API_KEY'],
    capabilities: chat,
    status: 'retired',
    notice: 'Empower no longer runs its API. Use another provider, or give the deployment a baseUrl.',
    quirks: maxTokens,
  },
  together_ai: {
    displayName: 'Together AI',
    baseUrl: 'https://api.together.xyz/v1',
    baseUrlEnv: ['TOGETHER_AI_API_BASE'],
    apiKeyEnv: ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY', 'TOGETHERAI_API_KEY', 'TOGETHER_AI_TOKEN'],
    capabilities: everything,
    quirks: {
      completions: { singlePrompt: true },
      embeddings: { base64: false, tokens: false },
      images: { unsupported: [...openaiImageParameters, 'quality', 'style'] },
      thinkTags: true,
      adjust: (body, operation) => togetherImage(dropTextFormat(body, operation), operation),
    },
    variants: [
      // Effort is a word of OpenAI's, but switching reasoning off is not.
      { when: { parameter: 'reasoning_effort', is: ['none'] }, quirks: { reasoning: 'reasoning_object' } },
      { when: { parameter: 'thinking.type', is: ['disabled'] }, quirks: { reasoning: 'reasoning_object' } },
    ],
  },
  openrouter: {
    displayName: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    baseUrlEnv: ['OPENROUTER_API_BASE'],
    apiKeyEnv: ['OPENROUTER_API_KEY', 'OR_API_KEY'],
    capabilities: chatEmbeddingsImages,
    // Tells OpenRouter which app calls; sent only where the host names it.
    headersEnv: { 'http-referer': ['OR_SITE_URL'], 'x-title': ['OR_APP_NAME'] },
    quirks: {
      paths: { images: '/images' },
      ignored: ['n'],
      // https://openrouter.ai/docs/guides/routing/model-fallbacks
      hostOnly: ['models', 'preset'],
      hostLimits: ['provider.max_price'],
      // Every id there has a vendor; those of one segment (`auto`) are OpenRouter's own.
      modelName: (model) => (model.includes('/') ? model : `openrouter/${model}`),
      reasoning: 'reasoning_object',
      extraBody: { usage: { include: true } },
      messages: { keepCacheControl: /claude|gemini|minimax|glm|z-ai/i, cacheControlOnParts: true },
      images: { unsupported: ['input_fidelity', 'moderation', 'partial_images', 'style'] },
      adjust: openrouterImage,
    },
    variants: [
      {
        operation: 'images',
        when: { parameter: 'response_format', isNot: ['b64_json'] },
        quirks: { images: { unsupported: ['response_format'] } },
      },
    ],
    answers: { images: openrouterImages },
    // `cost` is all that the account is charged. With the host's own key at whoever computes (`is_byok`) that is only
    // OpenRouter's fee, and the other amount is what the key's owner is billed; else that is a part of `cost`:
    // https://openrouter.ai/docs/cookbook/administration/usage-accounting
    costReport: { amount: 'cost', upstream: { when: 'is_byok', amount: 'cost_details.upstream_inference_cost' } },
    // https://openrouter.ai/docs/guides/routing/provider-selection#max-price
    priceLimit: 'provider.max_price',
  },
  ai21: {
    displayName: 'AI21 (Jamba)',
    aliases: ['ai21_chat'],
    baseUrl: 'https://api.ai21.com/studio/v1',
    baseUrlEnv: ['AI21_API_BASE'],
    apiKeyEnv: ['AI21_API_KEY'],
    capabilities: chatAndCompletions,
    extend: withJurassic,
    status: 'retired',
    notice:
      'AI21 ended its Jamba API on 2026-08-09. Jamba models remain at AWS Bedrock, Google Vertex AI and Azure; for a server of your own give the deployment a baseUrl.',
    quirks: {
      ...maxTokens,
      supported: [
        'max_completion_tokens',
        'max_tokens',
        'n',
        'response_format',
        'seed',
        'stop',
        'temperature',
        'tool_choice',
        'tools',
        'top_p',
      ],
    },
  },
  baseten: {
    displayName: 'Baseten',
    // A dedicated deployment has an id of eight characters and a host of its own.
    baseUrl: ({ model }) =>
      /^[a-z0-9]{8}$/i.test(model)
        ? `https://model-${model}.api.baseten.co/environments/production/sync/v1`
        : 'https://inference.baseten.co/v1',
    baseUrlEnv: ['BASETEN_API_BASE'],
    apiKeyEnv: ['BASETEN_API_KEY'],
    capabilities: chat,
    quirks: {
      ...maxTokens,
      supported: [
        'frequency_penalty',
        'logprobs',
        'max_completion_tokens',
        'max_tokens',
        'parallel_tool_calls',
        'presence_penalty',
        'reasoning_effort',
        'response_format',
        'seed',
        'stop',
        'stream_options',
        'temperature',
        'thinking',
        'tool_choice',
        'tools',
        'top_logprobs',
        'top_p',
        'user',
      ],
    },
    variants: [
      // Effort is known to some models, the switch of the template to the others.
      {
        when: { parameter: 'reasoning_effort', is: ['none'] },
        quirks: { reasoning: 'chat_template', adjust: chatTemplateArgs },
      },
      {
        when: { parameter: 'thinking.type' },
        quirks: { reasoning: 'chat_template', adjust: chatTemplateArgs },
      },
    ],
  },
  deepinfra: {
    displayName: 'DeepInfra',
    baseUrl: 'https://api.deepinfra.com/v1/openai',
    baseUrlEnv: ['DEEPINFRA_API_BASE'],
    apiKeyEnv: ['DEEPINFRA_API_KEY'],
    capabilities: chatEmbeddingsImages,
    quirks: { ...maxTokens, ...floats, toolChoices: ['auto', 'none'], messages: { toolContentString: true } },
    // That model fails at a temperature of 0.
    variants: [{ models: /Mistral-7B-Instruct-v0\.1$/, quirks: { clamp: { temperature: { min: 0.0001 } } } }],
  },
  groq: {
    displayName: 'Groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    baseUrlEnv: ['GROQ_API_BASE'],
    apiKeyEnv: ['GROQ_API_KEY'],
    capabilities: chat,
    quirks: {
      unsupported: ['logit_bias', 'logprobs', 'n', 'top_logprobs'],
      messages: { dropNulls: true, dropName: 'always' },
      adjust: groqServiceTier,
    },
    variants: [{ models: groqWithoutSchema, quirks: { jsonSchema: 'synthetic_tool' } }],
    extend: groqSchemas,
  },
  deepseek: {
    displayName: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com',
    baseUrlEnv: ['DEEPSEEK_API_BASE'],
    apiKeyEnv: ['DEEPSEEK_API_KEY'],
    capabilities: chatAndCompletions,
    quirks: {
      ...maxTokens,
      paths: { completions: '/beta/completions' },
      reasoning: 'thinking_type_and_effort',
      // Since V4 a turn of the assistant without its reasoning is refused while thinking is on.
      messages: { flattenText: true, reasoningContent: 'always' },
      efforts: { minimal: 'low', medium: 'high', xhigh: 'max' },
    },
  },
  anyscale: {
    displayName: 'Anyscale Endpoints',
    baseUrl: 'https://api.endpoints.anyscale.com/v1',
    baseUrlEnv: ['ANYSCALE_API_BASE'],
    apiKeyEnv: ['ANYSCALE_API_KEY'],
    capabilities: chatAndCompletions,
    status: 'retired',
    notice:
      'Anyscale ended its public endpoints on 2024-08-01. For a service of your own on Anyscale give the deployment its baseUrl.',
  },
  friendliai: {
    displayName: 'FriendliAI',
    baseUrl: 'https://api.friendli.ai/serverless/v1',
    baseUrlEnv: ['FRIENDLI_API_BASE'],
    apiKeyEnv: ['FRIENDLIAI_API_KEY', 'FRIENDLI_TOKEN'],
    capabilities: chatAndCompletions,
    quirks: { ...maxTokens, reasoning: 'chat_template' },
  },
  galadriel: {
    displayName: 'Galadriel',
    baseUrl: 'https://api.galadriel.com/v1',
    baseUrlEnv: ['GALADRIEL_API_BASE'],
    apiKeyEnv: ['GALADRIEL_API_KEY'],
    capabilities: chat,
    status: 'retired',
    notice: 'Galadriel no longer runs an LLM API. Use another provider, or give the deployment a baseUrl.',
    quirks: maxTokens,
  },
  gradient_ai: {
    displayName: 'GradientAI (DigitalOcean)',
    baseUrl: 'https://inference.do-ai.run/v1',
    baseUrlEnv: ['GRADIENT_AI_AGENT_ENDPOINT'],
    apiKeyEnv: ['GRADIENT_AI_API_KEY', 'DIGITALOCEAN_INFERENCE_KEY', 'GRADIENT_MODEL_ACCESS_KEY'],
    capabilities: chat,
    // An agent's address is that of its host.
    completeBaseUrl: (url) => (url.endsWith('/v1') ? url : `${url}/api/v1`),
    quirks: { unsupported: toolParameters },
  },
  novita: {
    displayName: 'Novita AI',
    baseUrl: 'https://api.novita.ai/openai/v1',
    baseUrlEnv: ['NOVITA_API_BASE'],
    apiKeyEnv: ['NOVITA_API_KEY'],
    capabilities: allText,
    headers: { 'x-novita-source': 'sluice' },
    quirks: { ...floats, reasoning: 'enable_thinking', thinkTags: true },
  },
  featherless_ai: {
    displayName: 'Featherless AI',
    baseUrl: 'https://api.featherless.ai/v1',
    baseUrlEnv: ['FEATHERLESS_AI_API_BASE', 'FEATHERLESS_API_BASE'],
    apiKeyEnv: ['FEATHERLESS_AI_API_KEY', 'FEATHERLESS_API_KEY'],
    capabilities: chatAndCompletions,
    quirks: {
      ...maxTokens,
      unsupported: ['tools', 'parallel_tool_calls', 'functions', 'function_call', 'response_format', 'seed'],
      toolChoices: ['auto', 'none'],
      thinkTags: true,
    },
  },
  nebius: {
    displayName: 'Nebius AI Studio / Token Factory',
    baseUrl: 'https://api.tokenfactory.nebius.com/v1',
    baseUrlEnv: ['NEBIUS_API_BASE'],
    apiKeyEnv: ['NEBIUS_API_KEY'],
    capabilities: everything,
    quirks: { ...maxTokens, ...floats },
  },
  heroku: {
    displayName: 'Heroku Managed Inference',
    baseUrlEnv: ['HEROKU_API_BASE', 'INFERENCE_URL'],
    apiKeyEnv: ['HEROKU_API_KEY', 'INFERENCE_KEY'],
    capabilities: chat,
    // Heroku's own variable and old configurations name the host alone.
    completeBaseUrl: (url) => (url.endsWith('/v1') ? url : `${url}/v1`),
    quirks: { messages: { flattenText: true } },
  },
  ovhcloud: {
    displayName: 'OVHcloud AI Endpoints',
    baseUrl: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
    baseUrlEnv: ['OVHCLOUD_API_BASE'],
    apiKeyEnv: ['OVHCLOUD_API_KEY'],
    // Calls without a key are answered, at a low rate.
    apiKeyRequired: false,
    capabilities: chatAndEmbeddings,
    quirks: floats,
  },
  cometapi: {
    displayName: 'CometAPI',
    baseUrl: 'https://api.cometapi.com/v1',
    baseUrlEnv: ['COMETAPI_API_BASE', 'COMETAPI_BASE_URL'],
    apiKeyEnv: ['COMETAPI_KEY', 'COMETAPI_API_KEY'],
    capabilities: chatEmbeddingsImages,
    quirks: { ...floats, images: { unsupported: [...openaiImageParameters, 'output_format'] } },
  },
}
