import { z } from 'zod'
import type { OutboundHttp } from '../ports/outbound-http.js'
import { Secret } from '../secret.js'
import { parseJson } from '../wire/json.js'
import type { Prompt, PromptReference, PromptStore } from './prompt-store.js'
import { promptMessages, splitConfig } from './read-prompt.js'

/** Where prompts are kept in Langfuse. */
export interface LangfusePromptOptions {
  readonly publicKey: string
  readonly secretKey: string | Secret
  /** @default https://cloud.langfuse.com */
  readonly baseUrl?: string | undefined
}

const answer = z.object({
  version: z.number(),
  prompt: promptMessages,
  config: z.unknown(),
})

/**
 * Prompts of a Langfuse project, by name; without version or label the one labelled `production`
 * (https://api.reference.langfuse.com, `GET /api/public/v2/prompts/{promptName}`).
 */
export function langfusePrompts(options: LangfusePromptOptions, http: OutboundHttp): PromptStore {
  const { publicKey, secretKey, baseUrl = 'https://cloud.langfuse.com' } = options
  const secret = typeof secretKey === 'string' ? new Secret(secretKey) : secretKey
  const base = baseUrl.replace(/\/+$/, '')
  return {
    async find(reference, signal) {
      const credentials = Buffer.from(`${publicKey}:${secret.reveal()}`).toString('base64')
      const url = `${base}/api/public/v2/prompts/${encodeURIComponent(reference.id)}${toQuery(reference)}`
      const headers = { authorization: `Basic ${credentials}`, accept: 'application/json' }
      const response = await http({ method: 'GET', url, headers }, signal)
      if (response.status === 404) return undefined
      if (response.status !== 200) throw new Error(`Langfuse answered ${response.status}.`)
      return toPrompt(reference, response.text)
    },
  }
}

function toQuery({ version, label }: PromptReference): string {
  if (version !== undefined) return `?version=${encodeURIComponent(version)}`
  return label === undefined ? '' : `?label=${encodeURIComponent(label)}`
}

function toPrompt({ id }: PromptReference, text: string): Prompt {
  const { version, prompt, config } = answer.parse(parseJson(text))
  return { id, version: String(version), messages: prompt, ...splitConfig(config) }
}
