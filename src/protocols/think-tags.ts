const open = '<think>'
const close = '</think>'

/** Text taken apart into what was thought and what is said. */
export interface Thought {
  readonly reasoning: string
  readonly text: string
}

/** Separates `<think>…</think>` at the start of an answer, piece by piece; tags may be cut anywhere. */
export interface ThinkSplitter {
  /** True once everything that follows is said, not thought. */
  readonly isDone: boolean
  push(text: string): Thought
  /** What was held back because a tag might have begun in it. */
  end(): Thought
}

/** Starts splitting one answer. */
export function createThinkSplitter(): ThinkSplitter {
  let state: 'start' | 'thinking' | 'after' | 'text' = 'start'
  let held = ''

  const start = (): Thought => {
    const trimmed = held.trimStart()
    if (trimmed.startsWith(open)) {
      state = 'thinking'
      held = trimmed.slice(open.length)
      return think()
    }
    if (open.startsWith(trimmed)) return { reasoning: '', text: '' }
    state = 'text'
    return release('text')
  }

  const think = (): Thought => {
    const end = held.indexOf(close)
    if (end >= 0) {
      const reasoning = held.slice(0, end)
      held = held.slice(end + close.length)
      state = 'after'
      return { reasoning, text: afterClose() }
    }
    const reasoning = held.slice(0, held.length - overlap(held))
    held = held.slice(reasoning.length)
    return { reasoning, text: '' }
  }

  // The blank lines between thought and answer belong to neither.
  const afterClose = (): string => {
    const text = held.trimStart()
    held = ''
    if (text !== '') state = 'text'
    return text
  }

  const release = (as: 'text' | 'reasoning'): Thought => {
    const text = held
    held = ''
    return as === 'text' ? { reasoning: '', text } : { reasoning: text, text: '' }
  }

  return {
    get isDone() {
      return state === 'text'
    },
    push(text) {
      held += text
      if (state === 'text') return release('text')
      if (state === 'start') return start()
      return state === 'thinking' ? think() : { reasoning: '', text: afterClose() }
    },
    end: () => release(state === 'thinking' ? 'reasoning' : 'text'),
  }
}

/** Length of the longest end of `text` that is a beginning of the closing tag. */
function overlap(text: string): number {
  for (let length = Math.min(close.length - 1, text.length); length > 0; length--) {
    if (close.startsWith(text.slice(-length))) return length
  }
  return 0
}

/** Separates the thought from a whole answer. */
export function splitThought(content: string): Thought {
  const splitter = createThinkSplitter()
  const first = splitter.push(content)
  const last = splitter.end()
  return { reasoning: first.reasoning + last.reasoning, text: first.text + last.text }
}
