import { type KeyDirectory, createKeyDirectory } from '../keys/directory.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import type { RecordStore } from '../ports/records.js'
import { Secret } from '../secret.js'
import { createMemoryRecords } from '../stores/memory-records.js'
import type { GuardedStores } from './guard-stores.js'

/** Virtual keys, and the records that they are made from. */
export interface KeyParts {
  readonly records: RecordStore
  readonly directory: KeyDirectory
  /** As `KeyOptions.salt`. */
  readonly salt: Secret | undefined
  /** Whether keys let anybody in. */
  readonly isOn: boolean
}

/** Builds the directory of keys; without `keys` nobody is let in by it. */
export function createKeys(
  { keys }: GatewayOptions,
  { stores, clock, logger }: { readonly stores: GuardedStores; readonly clock: Clock; readonly logger: Logger },
): KeyParts {
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
  })
  return { records, directory, salt: secret, isOn: Boolean(keys) }
}
