import type { Broadcast } from '../../src/ports/broadcast.js'
import type { RecordKind, RecordStore } from '../../src/ports/records.js'
import { type KeyDirectory, type KeyDirectoryOptions, createKeyDirectory } from '../../src/keys/directory.js'
import { hashKey } from '../../src/keys/key-material.js'
import { type CallerRecordKind, type DataOf, memberId } from '../../src/keys/records.js'
import type { Caller } from '../../src/ports.js'
import { createMemoryRecords } from '../../src/stores/memory-records.js'
import { FakeClock } from '../support/fake-clock.js'

export const keyText = 'sk-0123456789abcdef'
export const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Records in memory that count how often they are asked, and can be held up or fail. */
export function watchedRecords(clock = new FakeClock()) {
  const store = createMemoryRecords({ clock })
  const asked = new Map<string, number>()
  const state: { failure?: unknown; wait?: () => Promise<void> } = {}
  const records: RecordStore = {
    ...store,
    async get(kind, id) {
      asked.set(kind, (asked.get(kind) ?? 0) + 1)
      if (state.failure !== undefined) throw state.failure
      const found = await store.get(kind, id)
      await state.wait?.()
      return found
    },
  }
  return { records, asked, state }
}

/** Hands messages to everybody at once, or after as many turns of the event loop as `delay` says. */
export function localBroadcast(delay?: () => Promise<void>): Broadcast {
  const listeners = new Set<(message: string) => void>()
  return {
    async publish(_, message) {
      await delay?.()
      for (const listener of listeners) listener(message)
    },
    subscribe(_, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export type SeedData<Kind extends CallerRecordKind> = Partial<DataOf<Kind>>

export async function put<Kind extends CallerRecordKind>(
  records: RecordStore,
  kind: Kind & RecordKind,
  id: string,
  data: SeedData<Kind>,
): Promise<void> {
  const known = await records.get(kind, id)
  if (known) await records.update(kind, { id, data: { ...known.data, ...data } }, known.version)
  else await records.insert(kind, { id, data })
}

/** A key, everything it names (empty unless given), and a directory over it. */
export async function setUp(
  key: SeedData<'key'> = {},
  others: { readonly [Kind in CallerRecordKind]?: Readonly<Record<string, SeedData<Kind>>> } = {},
  options: Partial<KeyDirectoryOptions> = {},
): Promise<ReturnType<typeof watchedRecords> & { clock: FakeClock; directory: KeyDirectory; hash: string }> {
  const clock = new FakeClock()
  const watched = watchedRecords(clock)
  const hash = hashKey(keyText)
  const { records } = watched
  await put(records, 'key', hash, { key_id: hash, key_name: 'sk-...cdef', ...key })
  for (const kind of ['user', 'team', 'organization', 'customer', 'budget', 'tag', 'member'] as const) {
    for (const [id, data] of Object.entries(others[kind] ?? {})) await put(records, kind, id, data)
  }
  watched.asked.clear()
  const directory = createKeyDirectory({ records, clock, logger: silent, maxCached: 100, ...options })
  return { ...watched, clock, directory, hash }
}

export const memberOfTeam = (team: string, user: string): string => memberId({ team }, user)

/** The caller of a key that must open. */
export async function callerOf(directory: KeyDirectory, text = keyText): Promise<Caller> {
  const answer = await directory.find(text)
  if ('refused' in answer) throw new Error(answer.refused.message)
  return answer.caller
}

/** The code that a key is refused with; undefined where it opens. */
export async function refusalOf(directory: KeyDirectory, text = keyText): Promise<string | undefined> {
  const answer = await directory.find(text)
  return 'refused' in answer ? answer.refused.code : undefined
}
