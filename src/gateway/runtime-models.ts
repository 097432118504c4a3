import { z } from 'zod'
import type { Deployment } from '../deployment.js'
import type { ModelInput, RuntimeModel, RuntimeModels } from '../endpoints/management/parts.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import { type Actor, type ManagementParts, audit } from '../keys/management/index.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { Broadcast } from '../ports/broadcast.js'
import type { NewRecord, RecordStore, StoredRecord, WriteResult } from '../ports/records.js'
import { checkModel } from '../options.js'
import { type DeploymentContext, createDeployment } from '../providers/create-deployment.js'
import type { ModelDirectory } from '../router/directory.js'
import type { Sealer } from '../stores/sealed-text.js'
import { isObject, parseJson, type JsonObject } from '../wire/json.js'
import { toModelOptions } from './runtime-model-input.js'

/** What runtime deployments are kept with. */
export interface RuntimeModelParts {
  readonly callers: ManagementParts
  readonly records: RecordStore
  /** Undefined: credentials cannot be kept. */
  readonly sealer: Sealer | undefined
  readonly broadcast: Broadcast | undefined
  readonly directory: ModelDirectory
  readonly context: DeploymentContext
  readonly clock: Clock
  readonly logger: Logger
  /** How often other processes' changes are looked for, in milliseconds; undefined where there are no other processes. */
  readonly refreshMs: number | undefined
}

/** The deployments in the records, as long as the gateway runs. */
export interface RuntimeModelKeeper extends RuntimeModels {
  /** Reads the records and puts their deployments in place. Never rejects. */
  load(): Promise<void>
  close(): void
}

/** As it is kept; `sealed_params` is JSON of `litellm_params`, encrypted. */
const DeploymentData = z.object({
  model_name: z.string().min(1),
  sealed_params: z.string().min(1),
  model_info: z.record(z.string(), z.unknown()),
  created_by: z.string().nullish(),
  updated_by: z.string().nullish(),
})
type DeploymentData = z.infer<typeof DeploymentData>

interface Kept {
  readonly version: number
  readonly model: RuntimeModel
}

const topic = 'deployments'
const rounds = 5

/** Keeps runtime deployments: in the records for all processes, in the model list of this one. */
export function createRuntimeModels(parts: RuntimeModelParts): RuntimeModelKeeper {
  return new StoredModels(parts)
}

class StoredModels implements RuntimeModelKeeper {
  readonly #parts: RuntimeModelParts
  readonly #kept = new Map<string, Kept>()
  /** Records that cannot be used, with the version that was complained of. */
  readonly #refused = new Map<string, number>()
  readonly #unsubscribe: (() => void) | undefined
  #loading: Promise<void> | undefined
  #again = false
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: RuntimeModelParts) {
    this.#parts = parts
    this.#unsubscribe = parts.broadcast?.subscribe(topic, () => void this.load())
  }

  get(id: string): RuntimeModel | undefined {
    return this.#kept.get(id)?.model
  }

  async add(actor: Actor, id: string, input: ModelInput): Promise<RuntimeModel> {
    if (this.#listed(id)) throw taken()
    const model = { ...withoutNull(input), id }
    const deployment = this.#make(model)
    const record = this.#toRecord(model, { created_by: actor.name, updated_by: actor.name })
    const result = await this.#parts.records.insert('deployment', record)
    const stored = toWritten(result)
    this.#put(stored.version, model, deployment)
    await this.#tell(actor, { id, action: 'created', before: {}, after: toAudited(model) })
    return model
  }

  async update(actor: Actor, id: string, change: Partial<ModelInput>): Promise<RuntimeModel> {
    for (let round = 0; round < rounds; round++) {
      const stored = await this.#parts.records.get('deployment', id)
      if (!stored) throw this.#missing(id)
      const { data, model: before } = this.#open(stored)
      const model = merge(before, change)
      const deployment = this.#make(model)
      const record = this.#toRecord(model, { created_by: data.created_by, updated_by: actor.name })
      const result = await this.#parts.records.update('deployment', record, stored.version)
      if ('conflict' in result && result.conflict === 'version') continue
      this.#put(toWritten(result).version, model, deployment)
      await this.#tell(actor, { id, action: 'updated', before: toAudited(before), after: toAudited(model) })
      return model
    }
    throw new GatewayError('conflict', 'Somebody else changed this deployment meanwhile. Try again.')
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const before = this.#kept.get(id)?.model
    if (!(await this.#parts.records.delete('deployment', id))) throw this.#missing(id)
    this.#drop(id)
    await this.#tell(actor, { id, action: 'deleted', before: before ? toAudited(before) : {}, after: {} })
  }

  load(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    // What was written after a read began may not be in it.
    if (this.#loading) this.#again = true
    this.#loading ??= this.#loadAll().finally(() => {
      this.#loading = undefined
      this.#schedule()
    })
    return this.#loading
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#unsubscribe?.()
  }

  async #loadAll(): Promise<void> {
    do {
      this.#again = false
      try {
        this.#take(await this.#readAll())
      } catch (error) {
        this.#parts.logger.warn({ error }, 'The deployments in the records could not be read.')
      }
    } while (this.#again && !this.#isClosed)
  }

  async #readAll(): Promise<readonly StoredRecord[]> {
    const found: StoredRecord[] = []
    let after: string | undefined
    do {
      const page = await this.#parts.records.find('deployment', { limit: 1_000, ...(after !== undefined && { after }) })
      found.push(...page.records)
      after = page.next
    } while (after !== undefined)
    return found
  }

  #take(records: readonly StoredRecord[]): void {
    const ids = new Set(records.map(({ id }) => id))
    for (const [id] of this.#kept) if (!ids.has(id)) this.#drop(id)
    for (const record of records) if (this.#kept.get(record.id)?.version !== record.version) this.#takeOne(record)
  }

  /** One that cannot be used is complained of once, and keeps nobody else from working. */
  #takeOne(record: StoredRecord): void {
    const { id, version } = record
    try {
      if (this.#listed(id) && !this.#kept.has(id)) throw taken()
      const { data, model } = this.#open(record)
      this.#put(version, model, this.#make(model))
      if (this.#parts.sealer?.isCurrent(data.sealed_params) === false) void this.#reseal(record, model)
    } catch (error) {
      if (this.#refused.get(id) === version) return
      this.#refused.set(id, version)
      this.#parts.logger.error({ error, deployment: id }, 'A deployment in the records cannot be used.')
    }
  }

  /** After a rotation the old key is to be needed no more. Whoever comes second has nothing to do. */
  async #reseal(record: StoredRecord, model: RuntimeModel): Promise<void> {
    const { created_by, updated_by } = DeploymentData.parse(record.data)
    try {
      await this.#parts.records.update('deployment', this.#toRecord(model, { created_by, updated_by }), record.version)
    } catch (error) {
      this.#parts.logger.warn({ error, deployment: record.id }, 'A deployment could not be sealed with the new key.')
    }
  }

  #schedule(): void {
    const { refreshMs, clock } = this.#parts
    this.#timer?.cancel()
    if (refreshMs !== undefined && !this.#isClosed) this.#timer = clock.setTimeout(() => void this.load(), refreshMs)
  }

  #put(version: number, model: RuntimeModel, deployment: Deployment): void {
    // Two of this process's own changes may be answered in another order than they were made.
    const known = this.#kept.get(model.id)
    if (known && known.version >= version) return
    this.#refused.delete(model.id)
    this.#kept.set(model.id, { version, model })
    this.#parts.directory.put(deployment)
  }

  #drop(id: string): void {
    if (this.#kept.delete(id)) this.#parts.directory.remove(id)
  }

  #listed(id: string): boolean {
    return this.#parts.directory.groups.all.some((deployment) => deployment.id === id)
  }

  #missing(id: string): GatewayError {
    if (!this.#listed(id)) return new GatewayError('not_found', 'There is no such deployment.')
    return new InvalidRequestError("This deployment is in the host's own model list, and is changed there.", 'id')
  }

  #make(model: RuntimeModel): Deployment {
    const { context } = this.#parts
    const options = toModelOptions(model.id, model)
    try {
      checkModel(options)
    } catch (error) {
      throw new InvalidRequestError(error instanceof Error ? error.message : 'The model is not valid.', null, error)
    }
    // The host's own credentials go to the provider's own address, and nowhere else.
    const isElsewhere = options.baseUrl !== undefined || options.settings?.['stsEndpoint'] !== undefined
    return createDeployment(options, isElsewhere ? { ...context, env: {} } : context)
  }

  #open({ id, data: stored }: StoredRecord): { readonly data: DeploymentData; readonly model: RuntimeModel } {
    const data = DeploymentData.parse(stored)
    const params = parseJson(this.#sealer().open(data.sealed_params, id))
    if (!isObject(params)) throw new TypeError('The parameters of a deployment are no object.')
    const { model_name, model_info } = data
    return { data, model: { id, model_name, litellm_params: params, model_info } }
  }

  #toRecord(
    { id, model_name, litellm_params, model_info }: RuntimeModel,
    by: Pick<DeploymentData, 'created_by' | 'updated_by'>,
  ): NewRecord {
    const data = {
      model_name,
      sealed_params: this.#sealer().seal(JSON.stringify(litellm_params), id),
      model_info,
      ...by,
    }
    return { id, data }
  }

  #sealer(): Sealer {
    if (this.#parts.sealer) return this.#parts.sealer
    throw new GatewayError(
      'invalid_request',
      'Credentials of models cannot be kept: set encryptionKeys in the options of the gateway.',
      { code: 'encryption_keys_missing' },
    )
  }

  async #tell(
    actor: Actor,
    {
      id,
      action,
      before,
      after,
    }: { id: string; action: 'created' | 'updated' | 'deleted'; before: JsonObject; after: JsonObject },
  ): Promise<void> {
    const { callers, broadcast, logger } = this.#parts
    await audit(actor, { ref: { kind: 'deployment', id }, action, before, after }, callers)
    // Whoever does not hear of it looks by itself in the end.
    void broadcast
      ?.publish(topic, id)
      .catch((error: unknown) => logger.warn({ error }, 'Other processes were not told of a change of a deployment.'))
  }
}

/** `litellm_params` by their names alone: any of them may hold a credential. */
function toAudited({ model_name, litellm_params, model_info }: RuntimeModel): JsonObject {
  const names = Object.keys(litellm_params)
  return { model_name, model: litellm_params['model'], litellm_params: names, model_info }
}

function merge(model: RuntimeModel, change: Partial<ModelInput>): RuntimeModel {
  const merged = {
    model_name: change.model_name ?? model.model_name,
    litellm_params: { ...model.litellm_params, ...change.litellm_params },
    model_info: { ...model.model_info, ...change.model_info },
  }
  return { ...withoutNull(merged), id: model.id }
}

function withoutNull({ model_name, litellm_params, model_info }: ModelInput): ModelInput {
  const strip = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
  return { model_name, litellm_params: strip(litellm_params), model_info: strip(model_info) }
}

function toWritten(result: WriteResult): StoredRecord {
  if ('record' in result) return result.record
  throw result.conflict === 'gone' ? new GatewayError('not_found', 'There is no such deployment.') : taken()
}

function taken(): GatewayError {
  return new GatewayError('conflict', 'There is another deployment with this id.')
}
