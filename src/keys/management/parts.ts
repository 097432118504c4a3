import type { Clock, Logger } from '../../ports.js'
import type { RecordStore } from '../../ports/records.js'
import type { Secret } from '../../secret.js'
import type { KeyDirectory } from '../directory.js'
import type { RandomBytes } from '../key-material.js'
import type { AccessGroups } from '../model-access.js'

/** What the management of callers' records works with. */
export interface ManagementParts {
  /** Every operation has a deadline of its own. */
  readonly records: RecordStore
  readonly directory: Pick<KeyDirectory, 'changed' | 'hashOf'>
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Pick<Logger, 'error'>
  /** Unique ids for records that are made without one. */
  readonly createId: () => string
  readonly randomBytes: RandomBytes
  /** The directory's. */
  readonly salt?: Secret | undefined
  /** The directory's. */
  readonly accessGroups?: AccessGroups | undefined
}
