import type { PriceOptions, PriceTable } from './price-options.js'

const free: PriceOptions = { input: 0, output: 0 }
const perImage = (price: string): PriceOptions => ({ perImage: price })

const dallE3Of = (quality: string, square: string, wide: string) => [
  { size: '1024x1024', quality, price: square },
  { size: '1024x1792', quality, price: wide },
  { size: '1792x1024', quality, price: wide },
]

// https://developers.openai.com/api/docs/pricing and https://developers.openai.com/api/docs/models
const dallE3: PriceOptions = { perImage: [...dallE3Of('standard', '0.04', '0.08'), ...dallE3Of('hd', '0.08', '0.12')] }
const openai: PriceTable = {
  'dall-e-3': dallE3,
  'dall-e-2': {
    perImage: [
      { size: '1024x1024', price: '0.02' },
      { size: '512x512', price: '0.018' },
      { size: '256x256', price: '0.016' },
    ],
  },
  // https://developers.openai.com/api/docs/guides/moderation: free of charge
  'omni-moderation-latest': free,
  'omni-moderation-2024-09-26': free,
  'text-moderation-latest': free,
  'text-moderation-stable': free,
  'gpt-4o-audio-preview': { input: 2.5, output: 10, audioInput: 40, audioOutput: 80 },
  'gpt-4o-audio-preview-2024-10-01': { input: 2.5, output: 10, audioInput: 100, audioOutput: 200 },
  'gpt-4o-mini-audio-preview': { input: 0.15, output: 0.6, audioInput: 10, audioOutput: 20 },
  'ft:gpt-4o-2024-08-06': { input: 3.75, cacheRead: 1.875, output: 15 },
  'ft:gpt-4o-mini-2024-07-18': { input: 0.3, cacheRead: 0.15, output: 1.2 },
  'ft:gpt-4.1-2025-04-14': { input: 3, cacheRead: 0.75, output: 12 },
  'ft:gpt-4.1-mini-2025-04-14': { input: 0.8, cacheRead: 0.2, output: 3.2 },
  'ft:gpt-4.1-nano-2025-04-14': { input: 0.2, cacheRead: 0.05, output: 0.8 },
  'ft:gpt-3.5-turbo': { input: 3, output: 6 },
  'ft:gpt-3.5-turbo-0125': { input: 3, output: 6 },
  'ft:gpt-3.5-turbo-1106': { input: 3, output: 6 },
  'ft:gpt-3.5-turbo-0613': { input: 3, output: 6 },
}

// https://cloud.google.com/vertex-ai/generative-ai/pricing and https://ai.google.dev/gemini-api/docs/pricing
const imagen: PriceTable = {
  'imagen-4.0-generate-001': perImage('0.04'),
  'imagen-4.0-ultra-generate-001': perImage('0.06'),
  'imagen-4.0-fast-generate-001': perImage('0.02'),
  'imagen-3.0-generate-001': perImage('0.04'),
  'imagen-3.0-generate-002': perImage('0.04'),
  'imagen-3.0-fast-generate-001': perImage('0.02'),
}
const gemini: PriceTable = {
  ...imagen,
  'gemma-3-1b-it': free,
  'gemma-3-4b-it': free,
  'gemma-3-12b-it': free,
  'gemma-3-27b-it': free,
  'gemma-3n-e2b-it': free,
  'gemma-3n-e4b-it': free,
  'gemma-4-26b-a4b-it': free,
  'gemma-4-31b-it': free,
}

const titanImage: PriceOptions = {
  perImage: [
    { size: '1024x1024', quality: 'standard', price: '0.01' },
    { size: '1024x1024', quality: 'premium', price: '0.012' },
    { size: '512x512', quality: 'standard', price: '0.008' },
    { size: '512x512', quality: 'premium', price: '0.01' },
  ],
}

// https://aws.amazon.com/bedrock/pricing
const bedrock: PriceTable = {
  'amazon.titan-embed-text-v2:0': { input: 0.02 },
  'cohere.embed-english-v3': { input: 0.1 },
  'cohere.embed-multilingual-v3': { input: 0.1 },
  'amazon.titan-image-generator-v1': titanImage,
  'amazon.titan-image-generator-v2:0': titanImage,
  'amazon.nova-canvas-v1:0': {
    perImage: [
      { size: '1024x1024', quality: 'standard', price: '0.04' },
      { size: '1024x1024', quality: 'premium', price: '0.06' },
      { size: '2048x2048', quality: 'standard', price: '0.06' },
      { size: '2048x2048', quality: 'premium', price: '0.08' },
    ],
  },
}

// https://cohere.com/pricing
const cohere: PriceTable = {
  'embed-english-v3.0': { input: 0.1 },
  'embed-english-light-v3.0': { input: 0.1 },
  'embed-multilingual-v3.0': { input: 0.1 },
  'embed-multilingual-light-v3.0': { input: 0.1 },
}

/** Prices that the catalog lacks or has in part, by our provider and the model's exact name. */
export const overlay: Readonly<Record<string, PriceTable>> = {
  openai,
  azure: { 'dall-e-3': dallE3 },
  gemini,
  vertex_ai: imagen,
  bedrock,
  cohere,
  xai: { 'grok-2-image-1212': perImage('0.07'), 'grok-2-image': perImage('0.07') },
}
