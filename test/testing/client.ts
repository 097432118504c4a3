import { request } from 'undici'

/** An answer as it came off the wire. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** `aborted` where the connection broke inside the body. */
  readonly end: 'complete' | 'broken'
  /** When the headers, and when the first byte of the body, had arrived, in milliseconds from the start. */
  readonly headersMs: number
  readonly firstByteMs: number
}

/** Sends a JSON body and reads the answer to its end, broken or not. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<RawAnswer> {
  const start = performance.now()
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: signal ?? null,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const headersMs = performance.now() - start
  let text = ''
  let firstByteMs = 0
  let end: RawAnswer['end'] = 'complete'
  try {
    for await (const chunk of answer.body) {
      firstByteMs ||= performance.now() - start
      text += String(chunk)
    }
  } catch {
    end = 'broken'
  }
  return { status: answer.statusCode, headers: answer.headers, text, end, headersMs, firstByteMs }
}

/** The parsed `data:` payloads of a stream, `[DONE]` left out. */
export function eventsOf(text: string): unknown[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line): unknown => JSON.parse(line.slice('data: '.length)))
}

/** Everything that an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
