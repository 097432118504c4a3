import type { Prompt, PromptReference, PromptStore } from './prompt-store.js'
import { readPrompt } from './read-prompt.js'

/** Gives the text of a file, or undefined where there is none: the host reads. */
export type ReadPromptFile = (name: string) => PromiseLike<string | undefined> | string | undefined

// No way out of the host's folder, and no hidden file.
const safeName = /^[A-Za-z0-9_-][\w.-]*(?:\/[A-Za-z0-9_-][\w.-]*)*$/

/**
 * Prompts in files: `<id>.prompt` or `<id>.json` is the newest, `<id>.v<version>.prompt` an older one; a label is read
 * as a version. `readPrompt` describes what is in them.
 *
 *     filePrompts((name) => readFile(join('prompts', name), 'utf8').catch(() => undefined))
 */
export function filePrompts(read: ReadPromptFile): PromptStore {
  return {
    async find(reference) {
      const { id, version, label } = reference
      const wanted = version ?? label
      if (!safeName.test(id) || (wanted !== undefined && !safeName.test(wanted))) return undefined
      const name = wanted === undefined ? id : `${id}.v${wanted}`
      for (const ending of ['prompt', 'json']) {
        const text = await read(`${name}.${ending}`)
        if (text !== undefined) return readPrompt(text, { id, version: wanted ?? 'latest' })
      }
      return undefined
    },
  }
}

/** Prompts that the host holds itself, by id, or by `<id>.v<version>`; text as in prompt files. */
export function textPrompts(texts: Readonly<Record<string, string>>): PromptStore {
  return {
    find({ id, version, label }: PromptReference): Prompt | undefined {
      const wanted = version ?? label
      const name = wanted === undefined ? id : `${id}.v${wanted}`
      const text = Object.hasOwn(texts, name) ? texts[name] : undefined
      return text === undefined ? undefined : readPrompt(text, { id, version: wanted ?? 'latest' })
    },
  }
}
