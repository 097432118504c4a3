import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqlStores } from '../../../adapters/sql.js'
import { type TestDatabase, openSqlite } from '../../adapters/sql/databases.js'
import { type AdminLab, queryOf, startAdminLab } from './lab.js'
import { newKey, newTeam, samples, sendSample } from './samples.js'

let lab: AdminLab
let opened: TestDatabase
beforeAll(async () => {
  opened = await openSqlite()
  const stores = sqlStores(opened.database, { prefix: opened.prefix })
  await stores.migrate()
  lab = await startAdminLab({
    stores: { records: stores.records, ledger: stores.ledger, calls: stores.calls },
    encryptionKeys: [{ id: 'one', key: '5a'.repeat(32) }],
  })
})
afterAll(async () => {
  await lab.close()
  await opened.close()
})

describe('over SQL', () => {
  it.each(Object.keys(samples))('%s works', async (name) => {
    const { status, text } = await sendSample(lab, name, (await samples[name]?.(lab)) ?? {})
    expect(status, text).toBe(200)
  })

  it('statements in ids and filters are data', async () => {
    for (const text of [
      `'; DROP TABLE ${opened.prefix}records; --`,
      `" OR 1=1 --`,
      `%`,
      `\\`,
      `x' UNION SELECT 1 --`,
    ]) {
      const team = await newTeam(lab, { team_id: text, team_alias: text })
      expect(team).toBe(text)
      const query = queryOf({ team_id: text })
      const info = await lab.send('GET', `/team/info?${query}`)
      expect((info.body['team_info'] as Record<string, unknown>)['team_alias']).toBe(text)
      expect((await lab.send('GET', `/key/list?${query}`)).body['keys']).toEqual([])
      expect((await lab.send('GET', `/spend/logs?${query}`)).list).toEqual([])
      expect((await lab.send('GET', `/audit?table_name=team&${queryOf({ object_id: text })}`)).status).toBe(200)
    }
    expect(await lab.chat(await newKey(lab))).toBe(200)
  })
})
