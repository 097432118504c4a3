import { GatewayError } from '../../src/errors.js'
import { createKeyDirectory } from '../../src/keys/directory.js'
import { type ManagementParts, addMember, createGroup, createKey, toActor } from '../../src/keys/management/index.js'
import type { KeyInput } from '../../src/keys/management/index.js'
import { AuditData } from '../../src/keys/records.js'
import type { Actor } from '../../src/keys/management/index.js'
import type { Caller } from '../../src/ports.js'
import { createMemoryRecords } from '../../src/stores/memory-records.js'
import { FakeClock } from '../support/fake-clock.js'
import { callerOf, silent } from './lab.js'

export const master: Caller = { id: 'master', role: 'admin', models: 'all', scopes: [] }

/** A host's own user, without limits. */
export const hostUser = (id: string, own: Partial<Caller> = {}): Caller => ({
  id,
  role: 'member',
  models: 'all',
  scopes: [{ kind: 'user', id }],
  ...own,
})

/** Management over memory with a directory, and whoever acts on it. */
export function createLab() {
  const clock = new FakeClock()
  const records = createMemoryRecords({ clock })
  const directory = createKeyDirectory({ records, clock, logger: silent, maxCached: 100 })
  let made = 0
  const logged: unknown[] = []
  const parts: ManagementParts = {
    records,
    directory,
    clock,
    logger: { error: (fields) => logged.push(fields) },
    createId: () => `id-${++made}`,
    randomBytes: (size) => Uint8Array.from({ length: size }, (_, index) => (++made * 31 + index) % 256),
  }
  const actorOf = (caller: Caller): Promise<Actor> => toActor(caller, parts)
  return {
    clock,
    records,
    directory,
    parts,
    logged,
    actorOf,
    admin: () => actorOf(master),
    user: (id: string, own?: Partial<Caller>) => actorOf(hostUser(id, own)),
    /** Makes a key as an admin, and gives its text and hash. */
    keyFor: async (fields: KeyInput) => {
      const { key, record } = await createKey(await actorOf(master), { fields }, parts)
      return { text: key.reveal(), id: record.id }
    },
    /** Who acts with a key. */
    actorWith: async (text: string) => actorOf(await callerOf(directory, text)),
    team: async (id: string, data: Parameters<typeof createGroup<'team'>>[1]['data'] = {}) => {
      await createGroup(await actorOf(master), { kind: 'team', id, data }, parts)
    },
    member: async (team: string, user: string, fields: Parameters<typeof addMember>[1]['fields'] = {}) => {
      await addMember(await actorOf(master), { group: { team }, user, fields }, parts)
    },
    audit: async (): Promise<readonly AuditData[]> => {
      const { records: entries } = await records.find('audit', {})
      return entries.map(({ data }) => AuditData.parse(data))
    },
  }
}

/** The field or code that something is refused for; `done` where it is not. */
export async function outcomeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action
    return 'done'
  } catch (thrown) {
    if (!GatewayError.isInstance(thrown)) throw thrown
    return thrown.param === null ? thrown.kind : `${thrown.kind} ${thrown.param}`
  }
}
