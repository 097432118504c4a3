import type { Deployment } from '../../deployment.js'
import { outputLimitOf } from '../../protocols/output-limit.js'
import type { Codec, Exchange } from '../../protocols/protocol.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { stringOf } from '../../wire/json.js'
import type { StreamOperation } from '../../wire/operations.js'
import { settingOf } from '../settings.js'
import { overPayloadParts } from './payload-parts.js'

/** The model that an endpoint serves, where the host names it: it decides about the template of prompts. */
export function servedModel(deployment: Deployment): string {
  return settingOf(deployment, 'hfModelName') ?? stringOf(deployment.info['base_model']) ?? deployment.model
}

/** A container's request as a call of its endpoint. */
export function toInvocation(request: UpstreamRequest, deployment: Deployment, stream: boolean): UpstreamRequest {
  const action = stream ? 'invocations-response-stream' : 'invocations'
  const component = settingOf(deployment, 'inferenceComponent')
  return {
    ...request,
    path: `/endpoints/${encodeURIComponent(deployment.model)}/${action}`,
    headers: {
      'content-type': 'application/json',
      ...(component !== undefined && { 'x-amzn-sagemaker-inference-component': component }),
    },
  }
}

/** The exchange as the container's dialect is given it: under the name of the model that is served. */
function inside<K extends StreamOperation>(exchange: Exchange<K>): Exchange<K> {
  const { deployment } = exchange
  return { ...exchange, deployment: { ...deployment, model: servedModel(deployment) } }
}

/** A container's codec over its endpoint. `prepare` brings an answer to the form that the codec reads. */
export function overEndpoint<K extends StreamOperation>(
  inner: Codec<K>,
  prepare: (body: unknown, sent: () => UpstreamRequest) => unknown = (body) => body,
): Codec<K> {
  return {
    encode: (exchange) =>
      toInvocation(inner.encode(inside(exchange)), exchange.deployment, exchange.request.stream === true),
    decode: (body, exchange, headers) => {
      const within = inside(exchange)
      return inner.decode(
        prepare(body, () => inner.encode(within)),
        within,
        headers,
      )
    },
    outputLimit: (limit, exchange) => outputLimitOf(inner, limit, inside(exchange)),
    decodeStream(exchange) {
      const decoder = inner.decodeStream?.(inside(exchange))
      if (!decoder) throw new TypeError('every container can stream')
      return overPayloadParts(decoder, exchange.deployment.provider)
    },
  }
}
