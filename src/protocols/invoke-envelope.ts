import type { UpstreamEvent, UpstreamRequest } from '../upstream/message.js'
import { isObject, type JsonObject, numberOf, parseJson } from '../wire/json.js'
import { writeJson } from '../wire/write-json.js'
import type { ChatUsage } from '../wire/usage.js'
import { awsStreamError } from './aws-failure.js'
import { bedrockPath } from './bedrock-path.js'

/** A request to InvokeModel, or to its streaming sister. */
export function invokeRequest(
  id: string,
  body: JsonObject,
  stream: boolean,
  droppedParams: readonly string[],
): UpstreamRequest {
  return {
    method: 'POST',
    path: bedrockPath(id, stream ? 'invoke-with-response-stream' : 'invoke'),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: writeJson(body),
    droppedParams,
  }
}

/**
 * The model's own JSON text in an event of InvokeModelWithResponseStream (`{ bytes: <base64> }`); undefined where the
 * event has none.
 * @throws GatewayError for an exception of the service
 */
export function textInChunk(event: UpstreamEvent, provider: string): string | undefined {
  const error = awsStreamError(event, provider)
  if (error) throw error
  const payload = parseJson(event.data)
  const bytes = isObject(payload) ? payload['bytes'] : undefined
  return typeof bytes === 'string' ? Buffer.from(bytes, 'base64').toString('utf8') : undefined
}

/** The counts that Bedrock adds to the last event of a stream, whatever the model. */
export function usageInChunk(payload: JsonObject): ChatUsage | undefined {
  const metrics = payload['amazon-bedrock-invocationMetrics']
  return isObject(metrics) ? toUsage(metrics['inputTokenCount'], metrics['outputTokenCount']) : undefined
}

/** The counts that Bedrock puts into the headers of a whole answer, whatever the model. */
export function usageInHeaders(headers: Readonly<Record<string, string>> = {}): ChatUsage | undefined {
  const count = (name: string): number | undefined => {
    const text = headers[`x-amzn-bedrock-${name}-token-count`]
    return text === undefined ? undefined : Number(text)
  }
  return toUsage(count('input'), count('output') ?? 0)
}

function toUsage(input: unknown, output: unknown): ChatUsage | undefined {
  const [prompt, completion] = [numberOf(input), numberOf(output)]
  if (prompt === undefined || completion === undefined) return undefined
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
