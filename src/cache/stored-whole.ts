import { isUtf8 } from 'node:buffer'
import { isObject } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { AnswerOrigin, StoredAnswer } from './entry.js'
import type { WrittenAnswer } from './found.js'

/** A whole answer as it is kept: the very text that the client gets. Undefined for bytes that are no text. */
export function toStored<K extends Operation>(
  answer: WrittenAnswer<K>,
  origin: AnswerOrigin,
): StoredAnswer | undefined {
  const text = textOf(answer)
  const usage: unknown = Reflect.get(answer.body, 'usage')
  return text === undefined ? undefined : { ...origin, kind: 'whole', usage: isObject(usage) ? usage : undefined, text }
}

/** The whole answer that was kept, whose body is parsed when it is asked for, anew each time; undefined for what is none. */
export function fromStored<K extends Operation>(
  source: StoredAnswer,
): (WrittenAnswer<K> & { readonly written: string }) | undefined {
  const { kind, text } = source
  if (kind !== 'whole' || !text.startsWith('{')) return undefined
  return new StoredWhole<K>(text)
}

class StoredWhole<K extends Operation> implements WrittenAnswer<K> {
  readonly written: string

  constructor(text: string) {
    this.written = text
  }

  get body(): Operations[K]['response'] {
    // The key names the operation, and only its complete answers are kept; the digest of the text was checked.
    return JSON.parse(this.written) as Operations[K]['response']
  }
}

/** The answer as the client gets it; undefined for bytes that are no text. */
function textOf<K extends Operation>({ body, written }: WrittenAnswer<K>): string | undefined {
  if (written === undefined) return JSON.stringify(body)
  if (typeof written === 'string') return written
  return isUtf8(written) ? Buffer.from(written.buffer, written.byteOffset, written.byteLength).toString() : undefined
}
