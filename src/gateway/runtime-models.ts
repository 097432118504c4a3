import type { Deployment } from '../deployment.js'
import type { ModelInput, RuntimeModel, RuntimeModels } from '../endpoints/management/parts.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import { type Actor, type AuditedChange, type ManagementParts, audit } from '../keys/management/index.js'
import { publishWithin } from '../keys/publish.js'
import { checkModel } from '../options.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { Broadcast } from '../ports/broadcast.js'
import type { RecordStore, StoredRecord, WriteResult } from '../ports/records.js'
import { type DeploymentContext, createDeployment } from '../providers/create-deployment.js'
import type { ModelDirectory } from '../router/directory.js'
import type { Sealer } from '../stores/sealed-text.js'
import { toModelOptions } from './runtime-model-input.js'
import { type OpenedModel, mergeModel, openModelRecord, toAudited, toModelRecord } from './runtime-model-record.js'

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

interface Kept {
  readonly record: Pick<StoredRecord, 'createdAt' | 'version'>
  readonly model: RuntimeModel
}

const topic = 'deployments'
const rounds = 5
// After a read that failed.
const retryMs = 2_000

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
  /** Something was written since the read under way began: it may not be in it. */
  #isOutdated = false
  #failed = false
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
    if (this.#isListed(id)) throw taken()
    const model = mergeModel({ ...input, id }, {})
    const deployment = this.#make(model)
    const by = { created_by: actor.name, updated_by: actor.name }
    const record = toModelRecord(model, by, this.#parts.sealer)
    const written = toWritten(await this.#parts.records.insert('deployment', record))
    this.#isOutdated = true
    this.#keep(written, model, deployment)
    await this.#tell(actor, { action: 'created', before: {}, after: toAudited(model) }, id)
    return model
  }

  async update(actor: Actor, id: string, change: Partial<ModelInput>): Promise<RuntimeModel> {
    const { records, sealer } = this.#parts
    for (let round = 0; round < rounds; round++) {
      const stored = await records.get('deployment', id)
      if (!stored) throw this.#missing(id)
      const { model: before, by } = this.#open(stored)
      const model = mergeModel(before, change)
      const deployment = this.#make(model)
      const record = toModelRecord(model, { ...by, updated_by: actor.name }, sealer)
      const result = await records.update('deployment', record, stored.version)
      if ('conflict' in result && result.conflict === 'version') continue
      this.#isOutdated = true
      this.#keep(toWritten(result), model, deployment)
      // Of a credential nothing else tells that it is another.
      const after = { ...toAudited(model), changed_params: Object.keys(change.litellm_params ?? {}) }
      await this.#tell(actor, { action: 'updated', before: toAudited(before), after }, id)
      return model
    }
    throw new GatewayError('conflict', 'Somebody else changed this deployment meanwhile. Try again.')
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const before = this.#kept.get(id)?.model
    if (!(await this.#parts.records.delete('deployment', id))) throw this.#missing(id)
    this.#isOutdated = true
    this.#drop(id)
    await this.#tell(actor, { action: 'deleted', before: before ? toAudited(before) : {}, after: {} }, id)
  }

  load(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isOutdated = true
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
    this.#failed = false
    while (this.#isOutdated && !this.#isClosed) {
      this.#isOutdated = false
      try {
        const records = await this.#readAll()
        if (!this.#isOutdated && !this.#isClosed) this.#take(records)
      } catch (error) {
        this.#failed = true
        this.#parts.logger.warn({ error }, 'The deployments in the records could not be read.')
        return
      }
    }
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
    for (const record of records) if (this.#isNews(record)) this.#takeOne(record)
  }

  /** One that cannot be used is complained of once, and keeps nobody else from working. */
  #takeOne(record: StoredRecord): void {
    const { id, version } = record
    try {
      if (this.#isListed(id) && !this.#kept.has(id)) throw taken()
      const opened = openModelRecord(record, this.#parts.sealer)
      this.#keep(record, opened.model, this.#make(opened.model))
      if (!opened.isCurrent) void this.#reseal(record, opened)
    } catch (error) {
      if (this.#refused.get(id) === version) return
      this.#refused.set(id, version)
      this.#parts.logger.error({ error, deployment: id }, 'A deployment in the records cannot be used.')
    }
  }

  /** After a rotation the old key is to be needed no more. Whoever comes second has nothing to do. */
  async #reseal({ id, version }: StoredRecord, { model, by }: OpenedModel): Promise<void> {
    const { records, sealer, logger } = this.#parts
    try {
      await records.update('deployment', toModelRecord(model, by, sealer), version)
    } catch (error) {
      logger.warn({ error, deployment: id }, 'A deployment could not be sealed with the new key.')
    }
  }

  #schedule(): void {
    const { refreshMs, clock } = this.#parts
    this.#timer?.cancel()
    if (refreshMs === undefined || this.#isClosed) return
    this.#timer = clock.setTimeout(() => void this.load(), this.#failed ? retryMs : refreshMs)
  }

  #keep(record: StoredRecord, model: RuntimeModel, deployment: Deployment): void {
    if (!this.#isNews(record)) return
    this.#refused.delete(record.id)
    this.#kept.set(record.id, { record, model })
    this.#parts.directory.put(deployment)
  }

  /** False for what is known, or is older: two changes may be answered in another order than they were made. */
  #isNews({ id, createdAt, version }: StoredRecord): boolean {
    const known = this.#kept.get(id)?.record
    if (!known || createdAt > known.createdAt) return true
    return createdAt === known.createdAt && version > known.version
  }

  #drop(id: string): void {
    if (this.#kept.delete(id)) this.#parts.directory.remove(id)
  }

  #isListed(id: string): boolean {
    return this.#parts.directory.groups.all.some((deployment) => deployment.id === id)
  }

  #missing(id: string): GatewayError {
    if (!this.#isListed(id)) return new GatewayError('not_found', 'There is no such deployment.')
    return new InvalidRequestError("This deployment is in the host's own model list, and is changed there.", 'id')
  }

  #open(record: StoredRecord): OpenedModel {
    try {
      return openModelRecord(record, this.#parts.sealer)
    } catch (error) {
      if (GatewayError.isInstance(error)) throw error
      throw new GatewayError('conflict', 'The deployment cannot be decrypted; delete it and add it anew.', {
        cause: error,
      })
    }
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

  async #tell(actor: Actor, change: Omit<AuditedChange, 'ref'>, id: string): Promise<void> {
    const { callers, broadcast, clock, logger } = this.#parts
    await audit(actor, { ref: { kind: 'deployment', id }, ...change }, callers)
    // Whoever does not hear of it looks by itself in the end.
    if (broadcast) await publishWithin(clock, logger, () => broadcast.publish(topic, id))
  }
}

function toWritten(result: WriteResult): StoredRecord {
  if ('record' in result) return result.record
  throw result.conflict === 'gone' ? new GatewayError('not_found', 'There is no such deployment.') : taken()
}

function taken(): GatewayError {
  return new GatewayError('conflict', 'There is another deployment with this id.')
}
