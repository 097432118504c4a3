import type { JsonObject } from '../wire/json.js'

export { isGatewayField } from '../wire/gateway-fields.js'

/** How a call wants parameters treated that its target cannot honour. */
export interface DropPolicy {
  /** Leave out what is unsupported instead of answering 400. */
  readonly drop: boolean
  /** Parameters sent although they are listed as unsupported (`allowed_openai_params`). */
  readonly allowed: readonly string[]
  /** Parameters left out although they are supported (`additional_drop_params`); `a.b` and `tools[*].x` reach inside. */
  readonly additional: readonly string[]
}

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []

/** Reads LiteLLM's drop switches from a request and from its deployment's params; the request's `drop_params` wins. */
export function toDropPolicy(request: JsonObject, params: JsonObject, dropParams: boolean): DropPolicy {
  const asked = request['drop_params']
  return {
    drop: typeof asked === 'boolean' ? asked : dropParams,
    allowed: [...strings(params['allowed_openai_params']), ...strings(request['allowed_openai_params'])],
    additional: [...strings(params['additional_drop_params']), ...strings(request['additional_drop_params'])],
  }
}
