import type { Deployment } from '../deployment.js'
import { type KeyDirectory, createKeyDirectory } from '../keys/directory.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import type { RecordStore } from '../ports/records.js'
import { Secret } from '../secret.js'
import { createMemoryRecords } from '../stores/memory-records.js'
import type { GuardedStores } from './guard-stores.js'
import { pruneHourly } from './prune-hourly.js'

/** Virtual keys, and the records that they are made from. */
export interface KeyParts {
  readonly records: RecordStore
  readonly directory: KeyDirectory
  /** As `KeyOptions.salt`. */
  readonly salt: Secret | undefined
  /** Whether keys let anybody in. */
  readonly isOn: boolean
  /** Stops listening to changes, and forgetting those that are too old. */
  close(): void
}

/** What keys are built with. */
export interface KeysCore {
  readonly stores: GuardedStores
  readonly clock: Clock
  readonly logger: Logger
  /** The model list as it is now. */
  readonly deployments: () => readonly Deployment[]
}

/** Builds the directory of keys; without `keys` nobody is let in by it. */
export function createKeys(options: GatewayOptions, { stores, clock, logger, deployments }: KeysCore): KeyParts {
  const { keys, audit } = options
  const { salt, cacheTtlMs } = typeof keys === 'object' ? keys : {}
  const records = stores.records ?? createMemoryRecords({ clock })
  const secret = typeof salt === 'string' ? new Secret(salt) : salt
  const directory = createKeyDirectory({
    records,
    clock,
    logger,
    broadcast: stores.broadcast,
    salt: secret,
    cacheTtlMs,
    accessGroups: (name) => modelsOf(name, deployments()),
  })
  // The host's own: the guard's deadline is for what somebody waits for.
  const kept = options.stores?.records ?? records
  const pruning = pruneHourly({
    prune: async (before) => kept.prune?.('audit', before),
    retentionDays: audit?.retentionDays,
    clock,
    logger,
    failure: 'Old changes could not be forgotten.',
  })
  return {
    records,
    directory,
    salt: secret,
    isOn: Boolean(keys),
    close() {
      pruning?.cancel()
      directory.close()
    },
  }
}

/** The model groups of an access group: those of deployments whose `info.access_groups` names it. */
function modelsOf(group: string, deployments: readonly Deployment[]): readonly string[] | undefined {
  const names = deployments.flatMap(({ info, modelName }) => {
    const groups: unknown = info['access_groups']
    return Array.isArray(groups) && groups.includes(group) ? [modelName] : []
  })
  return names.length === 0 ? undefined : [...new Set(names)]
}
