import { z } from 'zod'
import type { OutboundHttp } from '../ports/outbound-http.js'
import { Secret } from '../secret.js'
import { type LangfusePromptOptions, langfusePrompts } from './langfuse-prompts.js'
import type { PromptStore } from './prompt-store.js'

/** A project of Langfuse, asked by the gateway itself. */
export interface LangfusePrompts extends LangfusePromptOptions {
  readonly type: 'langfuse'
}

/** Where prompts are kept, by name of the store: a store, or what the gateway makes one of. */
export type PromptStoreOptions = Readonly<Record<string, PromptStore | LangfusePrompts>>

const store = z.custom<PromptStore>(
  (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 'find') === 'function',
  { error: "must have the method find, or be { type: 'langfuse', publicKey, secretKey }" },
)
const langfuse = z.strictObject({
  type: z.literal('langfuse'),
  publicKey: z.string().min(1),
  secretKey: z.union([z.string().min(1), z.instanceof(Secret)]),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
})

/** Checks `GatewayOptions.prompts`. */
export const promptOptions = z.record(z.string().min(1), z.union([langfuse, store]))

/** Makes the stores of the options; `http` is their way out. */
export function openPromptStores(
  options: PromptStoreOptions,
  http: OutboundHttp,
): Readonly<Record<string, PromptStore>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, given]) => [name, 'find' in given ? given : langfusePrompts(given, http)]),
  )
}
