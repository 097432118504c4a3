import { capabilitiesOf } from '../../catalog/capabilities.js'
import { raiseTemperatureForMany } from './adjust.js'
import { fireworksImage, fireworksImages, hyperbolicImage } from './images.js'
import {
  allText,
  chat,
  chatAndCompletions,
  chatAndEmbeddings,
  chatAndImages,
  everything,
  floats,
  maxTokens,
  openaiImageParameters,
} from './presets.js'
import { fireworksDiffusion, fireworksImageJobs, fireworksJobs } from '../fireworks-images.js'
import { xaiNeedsResponses } from '../responses.js'
import type { Rows } from './row.js'

/** Further well-known providers. */
export const namedRows: Rows = {
  xai: {
    displayName: 'xAI',
    baseUrl: 'https://api.x.ai/v1',
    baseUrlEnv: ['XAI_API_BASE'],
    apiKeyEnv: ['XAI_API_KEY'],
    capabilities: chatAndImages,
    quirks: {
      ...maxTokens,
      messages: { dropName: 'always' },
      tools: { dropStrict: true },
      images: { unsupported: [...openaiImageParameters, 'output_format', 'quality', 'size', 'style'] },
    },
    responses: { when: xaiNeedsResponses, options: {} },
    // "The actual amount billed", tools and discounts included: https://docs.x.ai/developers/cost-tracking
    costReport: { amount: 'cost_in_usd_ticks', decimals: 10 },
    variants: [
      {
        models: { test: (model, own) => capabilitiesOf('xai', model, own).refusedParameters.includes('stop') },
        quirks: { unsupported: ['stop', 'frequency_penalty', 'presence_penalty'] },
      },
      { models: /^grok-4(-0709|-latest|-fast.*)?$|^grok-4\.20-/, quirks: { reasoning: 'none' } },
    ],
  },
  fireworks_ai: {
    displayName: 'Fireworks AI',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    baseUrlEnv: ['FIREWORKS_API_BASE'],
    apiKeyEnv: ['FIREWORKS_API_KEY', 'FIREWORKS_AI_API_KEY', 'FIREWORKSAI_API_KEY', 'FIREWORKS_AI_TOKEN'],
    capabilities: everything,
    quirks: {
      ...maxTokens,
      paths: { images: '/workflows/{model}/text_to_image' },
      modelName: (model) => (/^accounts\/|#/.test(model) ? model : `accounts/fireworks/models/${model}`),
      requiredToolChoice: 'any',
      jsonSchema: 'json_object_with_schema',
      tools: { dropStrict: true },
      embeddings: { base64: false, tokens: false },
      images: { unsupported: [...openaiImageParameters, 'n', 'output_format', 'quality', 'style', 'user'] },
      adjust: fireworksImage,
    },
    variants: [
      { operation: 'embeddings', quirks: { modelName: (model) => model } },
      { when: { parameter: 'thinking.budget_tokens' }, quirks: { reasoning: 'thinking_budget' } },
      { operation: 'images', models: fireworksJobs, quirks: { paths: { images: '/workflows/{model}' } } },
      { operation: 'images', models: fireworksDiffusion, quirks: { paths: { images: '/image_generation/{model}' } } },
    ],
    answers: { images: fireworksImages },
    extend: fireworksImageJobs,
  },
  cerebras: {
    displayName: 'Cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    baseUrlEnv: ['CEREBRAS_API_BASE'],
    apiKeyEnv: ['CEREBRAS_API_KEY'],
    capabilities: chatAndCompletions,
    quirks: { ...maxTokens, unsupported: ['frequency_penalty', 'logit_bias', 'n', 'presence_penalty'] },
  },
  sambanova: {
    displayName: 'SambaNova',
    baseUrl: 'https://api.sambanova.ai/v1',
    baseUrlEnv: ['SAMBANOVA_API_BASE'],
    apiKeyEnv: ['SAMBANOVA_API_KEY'],
    capabilities: chatAndEmbeddings,
    quirks: {
      ...maxTokens,
      ...floats,
      unsupported: ['frequency_penalty', 'logprobs', 'n', 'presence_penalty', 'seed', 'top_logprobs'],
      messages: { flattenText: true },
    },
  },
  moonshot: {
    displayName: 'Moonshot / Kimi',
    baseUrl: 'https://api.moonshot.ai/v1',
    baseUrlEnv: ['MOONSHOT_API_BASE'],
    apiKeyEnv: ['MOONSHOT_API_KEY'],
    capabilities: chatAndCompletions,
    quirks: {
      ...maxTokens,
      unsupported: ['functions', 'function_call'],
      clamp: { temperature: { min: 0, max: 1 } },
      requiredToolChoice: 'ask',
      reasoning: 'thinking_type',
      messages: { flattenText: true, reasoningContent: 'tool_calls' },
      adjust: raiseTemperatureForMany,
    },
    variants: [
      { models: /^kimi-thinking-preview/, quirks: { unsupported: ['tools', 'tool_choice', 'parallel_tool_calls'] } },
    ],
  },
  dashscope: {
    displayName: 'Alibaba DashScope (Qwen)',
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    baseUrlEnv: ['DASHSCOPE_API_BASE'],
    apiKeyEnv: ['DASHSCOPE_API_KEY'],
    capabilities: allText,
    // Ten texts a call since text-embedding-v3: https://docs.qwencloud.com/api-reference/text-embedding/openai-embedding
    quirks: { embeddings: { ...floats.embeddings, most: 10 }, reasoning: 'enable_thinking' },
    variants: [{ models: /deepseek-v4/i, quirks: { reasoning: 'reasoning_effort' } }],
  },
  nvidia_nim: {
    displayName: 'NVIDIA NIM',
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    baseUrlEnv: ['NVIDIA_NIM_API_BASE'],
    apiKeyEnv: ['NVIDIA_NIM_API_KEY'],
    capabilities: allText,
    quirks: maxTokens,
    variants: [
      {
        models: /^(google\/)?(gemma-2-|recurrentgemma)/,
        quirks: { supported: ['temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'stop', 'seed'] },
      },
      {
        models: /nemotron-4-340b-instruct/,
        quirks: { supported: ['temperature', 'top_p', 'max_tokens', 'max_completion_tokens'] },
      },
      { models: /nemotron-4-340b-reward/, quirks: { supported: [] } },
      {
        models: /codegemma/,
        quirks: {
          supported: [
            'temperature',
            'top_p',
            'frequency_penalty',
            'presence_penalty',
            'max_tokens',
            'max_completion_tokens',
            'stop',
          ],
        },
      },
    ],
  },
  github: {
    displayName: 'GitHub Models',
    baseUrl: 'https://models.github.ai/inference',
    baseUrlEnv: ['GITHUB_API_BASE'],
    apiKeyEnv: ['GITHUB_API_KEY'],
    capabilities: chatAndEmbeddings,
    status: 'retired',
    notice:
      'GitHub ended GitHub Models on 2026-07-30. Call the makers of the models (openai/, mistral/, xai/ …) instead.',
  },
  hyperbolic: {
    displayName: 'Hyperbolic',
    baseUrl: 'https://api.hyperbolic.xyz/v1',
    baseUrlEnv: ['HYPERBOLIC_API_BASE'],
    apiKeyEnv: ['HYPERBOLIC_API_KEY'],
    capabilities: ['chat', 'stream', 'completions', 'images'],
    status: 'limited',
    quirks: {
      ...maxTokens,
      unsupported: ['logit_bias', 'logprobs', 'top_logprobs'],
      thinkTags: true,
      images: { unsupported: [...openaiImageParameters, 'n', 'output_format', 'quality', 'style', 'user'] },
      adjust: hyperbolicImage,
    },
  },
  lambda_ai: {
    displayName: 'Lambda Inference API',
    baseUrl: 'https://api.lambda.ai/v1',
    baseUrlEnv: ['LAMBDA_API_BASE'],
    apiKeyEnv: ['LAMBDA_API_KEY'],
    capabilities: chatAndCompletions,
    status: 'retiring',
    quirks: maxTokens,
  },
  volcengine: {
    displayName: 'Volcengine Ark (ByteDance)',
    baseUrl: 'https://ark.cn-beijing.volces.com/api/v3',
    baseUrlEnv: ['VOLCENGINE_API_BASE'],
    apiKeyEnv: ['VOLCENGINE_API_KEY', 'ARK_API_KEY'],
    capabilities: chatAndEmbeddings,
    quirks: { ...maxTokens, reasoning: 'thinking_type' },
  },
  zai: {
    displayName: 'Z.ai / Zhipu GLM',
    baseUrl: 'https://api.z.ai/api/paas/v4',
    baseUrlEnv: ['ZAI_API_BASE'],
    apiKeyEnv: ['ZAI_API_KEY'],
    capabilities: chat,
    quirks: {
      ...maxTokens,
      unsupported: [
        'frequency_penalty',
        'functions',
        'function_call',
        'logit_bias',
        'logprobs',
        'n',
        'presence_penalty',
        'top_logprobs',
      ],
      reasoning: 'thinking_type',
      messages: { keepCacheControl: /./, reasoningContent: 'as_given' },
    },
  },
  minimax: {
    displayName: 'MiniMax',
    baseUrl: 'https://api.minimax.io/v1',
    baseUrlEnv: ['MINIMAX_API_BASE'],
    apiKeyEnv: ['MINIMAX_API_KEY'],
    capabilities: chat,
    quirks: { reasoning: 'thinking_type', messages: { keepCacheControl: /./ }, thinkTags: true },
  },
}
