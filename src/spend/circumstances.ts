import { isObject, type JsonObject, stringOf } from '../wire/json.js'

/** What a bill depends on beside the usage. */
export interface Circumstances {
  /** When the call began; milliseconds since the epoch. */
  readonly at: number
  /** The tier that served the call, as the answer tells it. @default the standard one */
  readonly serviceTier?: string | null | undefined
  /** @default false */
  readonly batch?: boolean | undefined
  /** Where a provider computed that charges by the place. @default anywhere */
  readonly region?: string | undefined
  readonly imageSize?: string | null | undefined
  readonly imageQuality?: string | null | undefined
  /** How many requests the call took; what a price per request is multiplied with. @default 1 */
  readonly requests?: number | undefined
}

/** A finished call, as far as its bill depends on it. */
export interface ServedCall {
  /** When it began; milliseconds since the epoch. */
  readonly at: number
  /** The request in our shape; an image's size and quality are taken from it where the answer tells none. */
  readonly request: JsonObject
  /** The answer in our shape; of a stream the members of its last chunks. */
  readonly answer: JsonObject
  /** @default false */
  readonly batch?: boolean | undefined
  /** @default 1 */
  readonly requests?: number | undefined
}

/**
 * What a bill depends on beside the usage: never the service tier that was asked for, only the one that the answer says
 * served it. Claude tells it in the usage, with its fast mode and the place of inference.
 */
export function circumstancesOf({ at, request, answer, batch, requests }: ServedCall): Circumstances {
  const usage = isObject(answer['usage']) ? answer['usage'] : {}
  const speed = stringOf(usage['speed'])
  const served = stringOf(answer['service_tier']) ?? stringOf(usage['service_tier'])
  return {
    at,
    serviceTier: speed === undefined || speed === 'standard' ? served : speed,
    batch: batch ?? false,
    region: stringOf(usage['inference_geo']),
    imageSize: stringOf(answer['size']) ?? stringOf(request['size']),
    imageQuality: stringOf(answer['quality']) ?? stringOf(request['quality']),
    requests,
  }
}
