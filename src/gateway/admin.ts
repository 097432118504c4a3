import { randomBytes } from 'node:crypto'
import { managementApiNotes } from '../endpoints/management/document-notes.js'
import { managementEndpoints } from '../endpoints/management/index.js'
import type { AdminParts } from '../endpoints/management/parts.js'
import { openapi } from '../endpoints/openapi.js'
import { type Dispatch, createDispatch } from '../http/dispatch.js'
import { type Route, createRouteTable } from '../http/route.js'
import { createBudgetWindows } from '../limits/budget-window.js'
import { type GatewayOptions, defaultMaxBodyBytes } from '../options.js'
import type { Auth } from '../ports.js'
import { createSealer } from '../stores/sealed-text.js'
import { docs } from '../ui/docs.js'
import type { GatewayParts } from './create-parts.js'
import { describeSettings } from './describe-settings.js'
import { type RuntimeModelKeeper, createRuntimeModels } from './runtime-models.js'

/** The management API, and the deployments that it keeps. */
export interface Admin {
  readonly dispatch: Dispatch
  /** Ends what keeps the deployments. */
  close(): void
}

// Records of some fields, lists of a thousand ids.
const maxBodyBytes = 1024 * 1024
// For processes without a broadcast, and for messages that are lost.
const refreshMs = 30_000

/** Builds the management API; the deployments in the host's records take their place whether it is mounted or not. */
export function createAdmin(options: GatewayOptions, auth: Auth, parts: GatewayParts): Admin {
  const callers = toManagementParts(parts)
  const models = createModels(options, callers, parts)
  const admin: AdminParts = {
    callers,
    models,
    directory: parts.call.directory,
    ledger: parts.books.ledger,
    calls: parts.callLog?.store,
    queue: parts.books.queue,
    pricing: parts.books.pricing,
    budgetWindows: createBudgetWindows(),
    settings: () =>
      describeSettings(options, {
        timeouts: parts.deployments.defaults.timeouts,
        deployments: parts.call.directory.groups.all,
        maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
      }),
    clock: parts.call.clock,
  }
  const build = (): Dispatch => {
    const endpoints: readonly Route[] = [...managementEndpoints(admin), openapi(() => endpoints, managementApiNotes)]
    return createDispatch({
      routes: createRouteTable([...endpoints, ...(options.docs === false ? [] : docs())]),
      auth,
      clock: parts.call.clock,
      createId: parts.call.createId,
      maxBodyBytes,
      onFault: (error, requestId) => parts.call.logger.error({ requestId, error: error.cause }, error.message),
    })
  }
  // Some 80 schemas: hosts that do not mount it do not pay for them.
  let dispatch: Dispatch | undefined
  return {
    dispatch(request, caller) {
      dispatch ??= build()
      return dispatch(request, caller)
    },
    close: () => models.close(),
  }
}

function toManagementParts({ call, keys }: GatewayParts): AdminParts['callers'] {
  const { clock, logger, createId } = call
  const { records, directory, salt } = keys
  return { records, directory, clock, logger, createId, randomBytes: (size) => randomBytes(size), salt }
}

function createModels(
  { stores, encryptionKeys }: GatewayOptions,
  callers: AdminParts['callers'],
  { call, deployments, keys, stores: { broadcast } }: GatewayParts,
): RuntimeModelKeeper {
  const hasStore = stores?.records !== undefined
  // What lives in this process alone needs a key that lives as long.
  const ownKeys = hasStore ? undefined : [{ id: 'memory', key: randomBytes(32).toString('base64') }]
  const sealing = encryptionKeys ?? ownKeys
  const models = createRuntimeModels({
    callers,
    records: keys.records,
    sealer: sealing && createSealer(sealing),
    broadcast,
    directory: call.directory,
    context: deployments,
    clock: call.clock,
    logger: call.logger,
    refreshMs: hasStore ? refreshMs : undefined,
  })
  if (hasStore) void models.load()
  return models
}
