import { type Server, createServer } from 'node:http'
import { closeServer, listen } from '../support/http-server.js'

/** A request as it came in. */
export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  readonly text: string
  /** The body as JSON, for tests to look into. */
  readonly json: any // eslint-disable-line typescript/no-explicit-any -- tests read payloads of many vendors
}

/** How the server answers; `hang` never does, `cut` closes the connection. */
export type Answer =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | 'hang'
  | 'cut'

/** A server that writes down what vendors' servers would get. */
export interface RecordingServer {
  readonly url: string
  readonly requests: RecordedRequest[]
  /** Answers to the next requests, in order; then `standard` again. */
  readonly script: Answer[]
  standard: Answer
  /** Makes the answer to each request, in place of `standard`. */
  answer: ((request: RecordedRequest) => Answer) | undefined
  /** Resolves once so many requests have come in. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

export async function startRecordingServer(): Promise<RecordingServer> {
  const waiters: { readonly count: number; readonly told: () => void }[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const bytes = Buffer.concat(chunks)
      const recorded: RecordedRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers as Record<string, string>,
        bytes,
        text: bytes.toString('utf8'),
        get json() {
          return JSON.parse(bytes.toString('utf8'))
        },
      }
      recorder.requests.push(recorded)
      for (const { count, told } of waiters) if (recorder.requests.length >= count) told()
      const answer = recorder.script.shift() ?? recorder.answer?.(recorded) ?? recorder.standard
      if (answer === 'hang') return
      if (answer === 'cut') return void request.socket.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(answer.body ?? '{}')
    })
  })
  const url = await listen(server)
  const recorder: RecordingServer = {
    url,
    requests: [],
    script: [],
    standard: { status: 200 },
    answer: undefined,
    received: (count) =>
      recorder.requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => void waiters.push({ count, told: resolve })),
    close: () => closeServer(server),
  }
  return recorder
}
