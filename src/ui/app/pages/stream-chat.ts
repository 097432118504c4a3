import { type Json, isJson, send } from '../api.js'

/** What is asked of a model. */
export interface ChatRequest extends Json {
  readonly model: string
  readonly messages: readonly Json[]
}

/** What came of it so far. */
export interface ChatProgress {
  readonly text: string
  readonly reasoning: string
  /** By index: name and arguments of each call of a tool. */
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[]
  readonly finish: string | undefined
  readonly usage: Json | undefined
}

/** What is known when the answer began. */
export interface ChatStart {
  readonly requestId: string
  readonly deployment: string
}

const nothing: ChatProgress = { text: '', reasoning: '', toolCalls: [], finish: undefined, usage: undefined }

/** Streams an answer; every piece is told. @throws ApiError also where the stream ends in an error */
export async function streamChat(
  request: ChatRequest,
  told: { readonly start: (start: ChatStart) => void; readonly progress: (progress: ChatProgress) => void },
  signal: AbortSignal,
): Promise<ChatProgress> {
  const body = { ...request, stream: true, stream_options: { include_usage: true } }
  const response = await send({ method: 'POST', path: '/v1/chat/completions', body, signal })
  told.start({
    requestId: response.headers.get('x-request-id') ?? '',
    deployment: response.headers.get('x-sluice-deployment') ?? '',
  })
  let progress = nothing
  for await (const data of eventsOf(response)) {
    if (data === '[DONE]') return progress
    progress = withChunk(progress, JSON.parse(data))
    told.progress(progress)
  }
  throw new Error('The stream broke off before its end.')
}

/** The data of each event. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) return
  let rest = ''
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    const events = (rest + step.value).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      const lines = event.split('\n').filter((line) => line.startsWith('data:'))
      if (lines.length > 0) yield lines.map((line) => line.slice(5).trimStart()).join('\n')
    }
  }
}

function withChunk(before: ChatProgress, chunk: unknown): ChatProgress {
  if (!isJson(chunk)) return before
  const { error, usage, choices } = chunk
  if (isJson(error)) throw new Error(textOf(error['message']) || 'The stream failed.')
  const [choice] = Array.isArray(choices) ? choices : []
  const after = isJson(usage) ? { ...before, usage } : before
  if (!isJson(choice)) return after
  const delta = isJson(choice['delta']) ? choice['delta'] : {}
  return {
    ...after,
    text: after.text + textOf(delta['content']),
    reasoning: after.reasoning + textOf(delta['reasoning_content']),
    toolCalls: withToolCalls(after.toolCalls, delta['tool_calls']),
    finish: typeof choice['finish_reason'] === 'string' ? choice['finish_reason'] : after.finish,
  }
}

function withToolCalls(before: ChatProgress['toolCalls'], deltas: unknown): ChatProgress['toolCalls'] {
  if (!Array.isArray(deltas)) return before
  const calls = [...before]
  for (const delta of deltas) {
    if (!isJson(delta) || !isJson(delta['function'])) continue
    const at = Number(delta['index'] ?? 0)
    const call = calls[at] ?? { name: '', arguments: '' }
    const { name, arguments: more } = delta['function']
    calls[at] = { name: call.name + textOf(name), arguments: call.arguments + textOf(more) }
  }
  return calls
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
