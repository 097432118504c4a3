import type { ChatChunk } from '../wire/chat.js'
import type { CompletionChunk } from '../wire/completions.js'
import { mapTexts, type PlacedText, textsOf, type TextPlace, type TextTree, withTexts } from './texts.js'

/** A chunk of any stream. */
export type StreamChunk = ChatChunk | CompletionChunk

/** One guardrail's work on a stream; the order of chunks stays. */
export interface Stage<Chunk> {
  /** @throws GatewayError where the guardrail refuses what has come so far */
  push(chunk: Chunk): readonly Chunk[]
  /** The stream is whole: gives what was held back. @throws as `push` */
  end(): Promise<readonly Chunk[]> | readonly Chunk[]
}

/** Text that is given piece by piece. */
export interface TextWindow {
  push(text: string): string
  end(): string
}

/** What a stage for texts does. */
export interface TextWork {
  readonly tree: TextTree
  /** Called for each text of the answer: a choice's content, its reasoning, the arguments of one tool call. */
  createWindow(place: TextPlace): TextWindow
  /** Told once, after a whole stream. */
  ended?(): void
}

interface OpenWindow {
  readonly path: TextPlace['path']
  readonly window: TextWindow
}

/** Passes each text through a window of its own; what a window still holds leaves before the choice's finish reason. */
export class TextStage<Chunk extends StreamChunk> implements Stage<Chunk> {
  readonly #work: TextWork
  readonly #windows = new Map<string, OpenWindow>()
  #last: Chunk | undefined

  constructor(work: TextWork) {
    this.#work = work
  }

  push(chunk: Chunk): readonly Chunk[] {
    this.#last = chunk
    const finished = new Set<unknown>()
    for (const choice of chunk.choices) if (choice.finish_reason) finished.add(choice.index)
    const seen = new Set<OpenWindow>()
    const mapped = mapTexts(chunk, this.#work.tree, (text, place) => {
      const open = this.#windowAt(place)
      seen.add(open)
      const given = open.window.push(text)
      return finished.has(choiceOf(place.path)) ? given + open.window.end() : given
    })
    if (finished.size === 0) return [withoutLogprobs(mapped)]
    const owing = [...this.#windows.values()].filter((open) => finished.has(choiceOf(open.path)) && !seen.has(open))
    return [...this.#owed(chunk, owing), withoutLogprobs(mapped)]
  }

  end(): readonly Chunk[] {
    const owed = this.#last ? this.#owed(this.#last, [...this.#windows.values()]) : []
    this.#work.ended?.()
    return owed
  }

  #windowAt(place: TextPlace): OpenWindow {
    const key = place.path.join('.')
    const known = this.#windows.get(key)
    if (known) return known
    const open = { path: place.path, window: this.#work.createWindow(place) }
    this.#windows.set(key, open)
    return open
  }

  #owed(like: Chunk, windows: readonly OpenWindow[]): readonly Chunk[] {
    return windows.flatMap(({ path, window }) => {
      const rest = window.end()
      return rest === '' ? [] : [chunkWith(like, path, rest)]
    })
  }
}

function choiceOf(path: TextPlace['path']): string | number | undefined {
  return path[1]
}

/** Tokens of the text before it was changed, or before its time. */
function withoutLogprobs<Chunk extends StreamChunk>(chunk: Chunk): Chunk {
  if (!chunk.choices.some(({ logprobs }) => logprobs)) return chunk
  return { ...chunk, choices: chunk.choices.map((choice) => ({ ...choice, logprobs: null })) }
}

/** A chunk like another one whose only text is this. */
function chunkWith<Chunk extends StreamChunk>(like: Chunk, path: TextPlace['path'], text: string): Chunk {
  const [, index, ...rest] = path
  const choice = { index, finish_reason: null, logprobs: null, ...toMember(rest, text) }
  const chunk = { ...like, choices: [choice] }
  delete chunk.usage
  // The path came from such a chunk.
  return chunk
}

/** `['delta', 'tool_calls', 1, 'function', 'arguments']` as the nested objects it names. */
function toMember(path: TextPlace['path'], text: string): Record<string, unknown> {
  const [name = '', ...rest] = path
  const [entry, ...below] = rest
  if (entry === undefined) return { [name]: text }
  if (typeof entry === 'number') return { [name]: [{ index: entry, ...toMember(below, text) }] }
  return { [name]: toMember(rest, text) }
}

/** Looks at a stream as a whole. */
export interface WholeWork {
  readonly tree: TextTree
  /** Of the texts held back; more is not judged. */
  readonly mostCharacters: number
  /** Gives the texts to use instead, one for each. @throws GatewayError where they are refused */
  judge(texts: readonly PlacedText[]): Promise<readonly string[]>
  /** There is more text than can be held back. @throws GatewayError unless the stream may go on unjudged */
  overflow(): void
}

/** Holds a stream back until all of it has been judged. */
export class HoldStage<Chunk extends StreamChunk> implements Stage<Chunk> {
  readonly #work: WholeWork
  #held: Chunk[] = []
  readonly #texts = new Map<string, { readonly place: TextPlace; text: string }>()
  #length = 0
  #isGivenUp = false

  constructor(work: WholeWork) {
    this.#work = work
  }

  push(chunk: Chunk): readonly Chunk[] {
    if (this.#isGivenUp) return [chunk]
    this.#held.push(chunk)
    for (const { text, ...place } of textsOf(chunk, this.#work.tree)) this.#collect(text, place)
    if (this.#length <= this.#work.mostCharacters) return []
    this.#work.overflow()
    this.#isGivenUp = true
    this.#texts.clear()
    return this.#held.splice(0)
  }

  async end(): Promise<readonly Chunk[]> {
    if (this.#isGivenUp) return []
    const whole = [...this.#texts.values()].map(({ place, text }) => ({ ...place, text }))
    const judged = await this.#work.judge(whole)
    const held = this.#held
    this.#held = []
    if (judged.every((text, index) => text === whole[index]?.text)) return held
    // A new text takes the place of the first piece of the old one.
    const rest = new Map([...this.#texts.keys()].map((key, index) => [key, judged[index] ?? '']))
    return held.map((chunk) => {
      const texts = textsOf(chunk, this.#work.tree).map(({ path }) => {
        const key = path.join('.')
        const text = rest.get(key) ?? ''
        rest.set(key, '')
        return text
      })
      return withoutLogprobs(withTexts(chunk, this.#work.tree, texts))
    })
  }

  #collect(text: string, place: TextPlace): void {
    const key = place.path.join('.')
    const known = this.#texts.get(key)
    if (known) known.text += text
    else this.#texts.set(key, { place, text })
    this.#length += text.length
  }
}

/** The stages of a stream, one after the other. */
export class StageChain<Chunk> implements Stage<Chunk> {
  readonly #stages: readonly Stage<Chunk>[]

  constructor(stages: readonly Stage<Chunk>[]) {
    this.#stages = stages
  }

  push(chunk: Chunk): readonly Chunk[] {
    return this.#pass([chunk], 0)
  }

  async end(): Promise<readonly Chunk[]> {
    const given: Chunk[] = []
    for (const [index, stage] of this.#stages.entries()) given.push(...this.#pass(await stage.end(), index + 1))
    return given
  }

  #pass(chunks: readonly Chunk[], from: number): readonly Chunk[] {
    return this.#stages
      .slice(from)
      .reduce((passing, stage) => passing.flatMap((chunk) => [...stage.push(chunk)]), chunks)
  }
}
