import { isObject, type JsonObject, parseJson } from '../wire/json.js'

/** A piece of a stream: a chunk, or an event whose `data` is the JSON of a plain content chunk. */
export interface StreamPiece {
  readonly chunk: unknown
  readonly forward: { readonly data: string } | undefined
}

/** A piece as it is given again; `frame` holds the bytes of the event. */
export interface ReplayedPiece<Chunk> {
  readonly chunk: Chunk | undefined
  readonly forward: { readonly event: string; readonly data: string; readonly frame: Uint8Array } | undefined
}

// One line a piece, its first character tells which of the two kinds it is.
const chunkMark = '+'
const forwardMark = '='

/** One piece as a line, without the line feed. */
export function toLine({ chunk, forward }: StreamPiece): string {
  if (!forward) return chunkMark + JSON.stringify(chunk)
  // JSON may hold line feeds between its tokens.
  const data = forward.data.includes('\n') ? JSON.stringify(parseJson(forward.data)) : forward.data
  return forwardMark + data
}

const piecesPerBatch = 64

/** The pieces of a kept stream in batches, made as they are asked for; kinds and order are those of the original. */
export async function* replayLines<Chunk>(text: string): AsyncGenerator<readonly ReplayedPiece<Chunk>[], undefined> {
  let batch: ReplayedPiece<Chunk>[] = []
  for (const line of linesOf(text)) {
    batch.push(toPiece(line))
    if (batch.length < piecesPerBatch) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function* linesOf(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const end = text.indexOf('\n', start)
    yield text.slice(start, end < 0 ? text.length : end)
    start = end < 0 ? text.length : end + 1
  }
}

function toPiece<Chunk>(line: string): ReplayedPiece<Chunk> {
  const data = line.slice(1)
  // We wrote it ourselves, from a chunk of this operation.
  if (line.startsWith(chunkMark)) return { chunk: JSON.parse(data) as Chunk, forward: undefined }
  return { chunk: undefined, forward: { event: '', data, frame: Buffer.from(`data: ${data}\n\n`) } }
}

/** What a chunk tells about the whole answer: the usage, and whether a choice has come to its end. */
export function readChunk(chunk: unknown): { readonly usage: JsonObject | undefined; readonly finished: boolean } {
  if (!isObject(chunk)) return { usage: undefined, finished: false }
  const { usage, choices } = chunk
  const finished = Array.isArray(choices) && choices.some((choice) => isObject(choice) && choice['finish_reason'])
  return { usage: isObject(usage) ? usage : undefined, finished }
}
