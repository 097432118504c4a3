import type { FailureKind } from '../errors.js'
import type { GatewayError } from '../errors.js'
import type { UpstreamEvent } from '../upstream/message.js'
import { isObject, numberOf, parseJson, stringOf } from '../wire/json.js'
import { kindOfFailure, readFailure, toUpstreamError } from './failure.js'
import type { Failure } from './protocol.js'

interface ErrorType {
  readonly status: number
  /** Where the status alone would be read otherwise. */
  readonly kind?: FailureKind
}

// By the type without `Exception`. Sources: the API references of Bedrock Runtime and SageMaker Runtime ("Errors"), and
// https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html
const types: Readonly<Record<string, ErrorType>> = {
  AccessDenied: { status: 403 },
  ExpiredToken: { status: 403, kind: 'upstream_authentication' },
  InternalDependency: { status: 530, kind: 'unavailable' },
  InternalFailure: { status: 500 },
  InternalServer: { status: 500 },
  InternalStreamFailure: { status: 500 },
  InvalidSignature: { status: 403, kind: 'upstream_authentication' },
  ModelError: { status: 424, kind: 'upstream_error' },
  ModelNotReady: { status: 429, kind: 'unavailable' },
  ModelStreamError: { status: 424, kind: 'upstream_error' },
  ModelTimeout: { status: 408, kind: 'timeout' },
  ResourceNotFound: { status: 404, kind: 'upstream_model_not_found' },
  ServiceQuotaExceeded: { status: 429 },
  ServiceUnavailable: { status: 503 },
  Throttling: { status: 429 },
  UnrecognizedClient: { status: 403, kind: 'upstream_authentication' },
  Validation: { status: 400 },
  ValidationError: { status: 400 },
}

// A model that cannot be called as it is named; no other request to this deployment would succeed either.
const wrongModel = /model identifier is invalid|on-demand throughput isn.t supported|reached the end of its life/i
const badToken = /security token included in the request is (?:invalid|expired)|signature expired/i

/** `com.amazon#ThrottlingException:http://…` → `Throttling` */
function typeNameOf(text: string | undefined): string | undefined {
  const name = text?.split(':')[0]?.split('#').at(-1)
  if (name === undefined || name === '') return undefined
  return (name[0]?.toUpperCase() + name.slice(1)).replace(/Exception$/, '')
}

function read(status: number, body: unknown, typeName: string | undefined): Failure {
  const failure = readFailure(status, body)
  const known = typeName !== undefined && Object.hasOwn(types, typeName) ? types[typeName] : undefined
  // A container behind SageMaker has its own say about whose fault it was.
  const original = isObject(body) ? numberOf(body['OriginalStatusCode']) : undefined
  const said = kindOfFailure(original ?? known?.status ?? status, failure.message)
  const type = typeName === undefined ? {} : { type: typeName }
  if (wrongModel.test(failure.message)) return { ...failure, ...type, kind: 'upstream_model_not_found' }
  if (badToken.test(failure.message)) return { ...failure, ...type, kind: 'upstream_authentication' }
  const refined = said === 'context_window' || said === 'content_policy' || original !== undefined
  return { ...failure, ...type, kind: refined ? said : (known?.kind ?? said) }
}

/** Reads an error answer of an AWS service; its type is in the header `x-amzn-errortype`, in older ones in `__type`. */
export function awsFailure(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Failure {
  const inBody = isObject(body) ? stringOf(body['__type']) : undefined
  return read(status, body, typeNameOf(headers['x-amzn-errortype'] ?? inBody))
}

/** The error for an event that stands for an exception of the service; undefined for any other event. */
export function awsStreamError({ event, data }: UpstreamEvent, provider: string): GatewayError | undefined {
  if (!event.startsWith('exception:') && !event.startsWith('error:')) return undefined
  const typeName = typeNameOf(event.slice(event.indexOf(':') + 1))
  const status = (typeName !== undefined && types[typeName]?.status) || 500
  return toUpstreamError(read(status, parseJson(data) ?? data, typeName), status, provider)
}
