import { LRUCache } from 'lru-cache'
import type { Clock } from '../ports.js'
import type { Prompt, PromptReference } from './prompt-store.js'

interface Remembered {
  readonly prompt: Prompt | undefined
  readonly at: number
}

const mostPrompts = 1_000

/** Remembers prompts: a store is asked once for what many calls want at a time, and an old prompt serves while it is down. */
export class PromptCache {
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #known = new LRUCache<string, Remembered>({ max: mostPrompts })
  readonly #asking = new Map<string, Promise<Prompt | undefined>>()

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock
    this.#ttlMs = ttlMs
  }

  /** @throws what `ask` throws, where nothing is remembered */
  async find(
    store: string,
    { id, version = '', label = '' }: PromptReference,
    ask: () => Promise<Prompt | undefined>,
  ): Promise<Prompt | undefined> {
    const key = JSON.stringify([store, id, version, label])
    const known = this.#known.get(key)
    if (known && this.#clock.now() - known.at < this.#ttlMs) return known.prompt
    try {
      return await this.#askOnce(key, ask)
    } catch (error) {
      if (!known?.prompt) throw error
      this.#known.set(key, { prompt: known.prompt, at: this.#clock.now() })
      return known.prompt
    }
  }

  #askOnce(key: string, ask: () => Promise<Prompt | undefined>): Promise<Prompt | undefined> {
    const running = this.#asking.get(key)
    if (running) return running
    const asking = ask()
      .then((prompt) => {
        this.#known.set(key, { prompt, at: this.#clock.now() })
        return prompt
      })
      .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }
}
