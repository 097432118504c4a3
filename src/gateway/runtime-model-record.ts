import { z } from 'zod'
import type { ModelInput, RuntimeModel } from '../endpoints/management/parts.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import type { NewRecord, StoredRecord } from '../ports/records.js'
import type { Sealer } from '../stores/sealed-text.js'
import { type JsonObject, isObject, parseJson } from '../wire/json.js'

/** As it is kept; `sealed_params` is JSON of `litellm_params`, encrypted, as any of them may be a credential. */
const DeploymentData = z.object({
  model_name: z.string().min(1),
  sealed_params: z.string().min(1),
  model_info: z.record(z.string(), z.unknown()),
  created_by: z.string().nullish(),
  updated_by: z.string().nullish(),
})

/** Who made a deployment, and who wrote it last. */
export type WrittenBy = Pick<z.infer<typeof DeploymentData>, 'created_by' | 'updated_by'>

/** What a record of a deployment holds. */
export interface OpenedModel {
  readonly model: RuntimeModel
  readonly by: WrittenBy
  /** False where an older key sealed it. */
  readonly isCurrent: boolean
}

/** Seals a deployment for the database. @throws GatewayError invalid_request where there is no key to do it with */
export function toModelRecord(model: RuntimeModel, by: WrittenBy, sealer: Sealer | undefined): NewRecord {
  const { id, model_name, litellm_params, model_info } = model
  const sealed_params = needSealer(sealer).seal(JSON.stringify(litellm_params), id)
  return { id, data: { model_name, sealed_params, model_info, ...by } }
}

/** Opens what `toModelRecord` made. @throws Error where it is damaged, or sealed with a key that is not known */
export function openModelRecord({ id, data }: StoredRecord, sealer: Sealer | undefined): OpenedModel {
  const { model_name, sealed_params, model_info, created_by, updated_by } = DeploymentData.parse(data)
  const opener = needSealer(sealer)
  const litellm_params = parseJson(opener.open(sealed_params, id))
  if (!isObject(litellm_params)) throw new TypeError('The parameters of a deployment are no object.')
  const model = { id, model_name, litellm_params, model_info }
  return { model, by: { created_by, updated_by }, isCurrent: opener.isCurrent(sealed_params) }
}

/** For the audit; `litellm_params` by their names alone. */
export function toAudited({ model_name, litellm_params, model_info }: RuntimeModel): JsonObject {
  return { model_name, model: litellm_params['model'], litellm_params: Object.keys(litellm_params), model_info }
}

const isAddress = (name: string): boolean => /(?:base|base_url|endpoint|url|host)$/.test(name)
const isCredential = (name: string): boolean => /key|secret|token|password|credential/.test(name)

/**
 * A deployment with the members that are given in the place of its own; null takes one away.
 * @throws InvalidRequestError for a new address without new credentials: those that are kept, which nobody is shown, would
 * be sent there
 */
export function mergeModel(model: RuntimeModel, change: Partial<ModelInput>): RuntimeModel {
  const changed = Object.keys(change.litellm_params ?? {})
  const moved = changed.find((name) => isAddress(name) && change.litellm_params?.[name] !== model.litellm_params[name])
  const kept = Object.keys(model.litellm_params).some((name) => isCredential(name) && !changed.includes(name))
  if (moved !== undefined && kept) {
    throw new InvalidRequestError(
      `Give the credentials again together with '${moved}': those that are kept are not sent to another address.`,
      `litellm_params.${moved}`,
    )
  }
  return {
    id: model.id,
    model_name: change.model_name ?? model.model_name,
    litellm_params: withoutNull({ ...model.litellm_params, ...change.litellm_params }),
    model_info: withoutNull({ ...model.model_info, ...change.model_info }),
  }
}

function withoutNull(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}

function needSealer(sealer: Sealer | undefined): Sealer {
  if (sealer) return sealer
  throw new GatewayError(
    'invalid_request',
    'Credentials of models cannot be kept: set encryptionKeys in the options of the gateway.',
    { code: 'encryption_keys_missing' },
  )
}
