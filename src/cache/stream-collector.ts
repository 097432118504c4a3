import type { JsonObject } from '../wire/json.js'
import { readChunk, type StreamPiece, toLine } from './stream-text.js'

/** Bytes that all collectors of a cache may hold together. */
export interface CollectingRoom {
  /** False where there is no room for that many. */
  take(bytes: number): boolean
  give(bytes: number): void
}

/** Room for `maxBytes`. */
export function createCollectingRoom(maxBytes: number): CollectingRoom {
  let free = maxBytes
  return {
    take(bytes) {
      if (bytes > free) return false
      free -= bytes
      return true
    },
    give(bytes) {
      free += bytes
    },
  }
}

/** A stream as it was collected. */
export interface CollectedStream {
  readonly text: string
  readonly usage: JsonObject | undefined
}

/** What a collector may hold, and who is told when that is not enough. */
export interface CollectingLimits {
  readonly maxBytes: number
  readonly room: CollectingRoom
  readonly overflowed: () => void
}

/** Writes down a stream while it is forwarded, within bounds. */
export class StreamCollector {
  readonly #limits: CollectingLimits
  #lines: string[] = []
  #bytes = 0
  #usage: JsonObject | undefined
  #finished = false
  #open = true

  constructor(limits: CollectingLimits) {
    this.#limits = limits
  }

  /** Takes pieces in the order in which the client gets them. */
  add(pieces: readonly StreamPiece[]): void {
    for (const piece of pieces) {
      if (!this.#open) return
      if (!piece.forward && piece.chunk === undefined) continue
      if (!piece.forward) this.#look(piece.chunk)
      this.#keep(toLine(piece))
    }
  }

  /** The stream has ended as it should; undefined where it was too large, or has no finish reason. Ends collecting. */
  finish(): CollectedStream | undefined {
    const whole = this.#open && this.#finished
    const text = whole ? this.#lines.join('\n') : ''
    const usage = this.#usage
    this.abandon()
    return whole ? { text, usage } : undefined
  }

  /** Ends collecting and forgets all. */
  abandon(): void {
    this.#open = false
    this.#limits.room.give(this.#bytes)
    this.#bytes = 0
    this.#lines = []
  }

  #look(chunk: unknown): void {
    const { usage, finished } = readChunk(chunk)
    this.#usage = usage ?? this.#usage
    this.#finished ||= finished
  }

  #keep(line: string): void {
    const bytes = Buffer.byteLength(line) + 1
    if (this.#bytes + bytes > this.#limits.maxBytes || !this.#limits.room.take(bytes)) {
      this.abandon()
      this.#limits.overflowed()
      return
    }
    this.#bytes += bytes
    this.#lines.push(line)
  }
}
