import { afterAll, describe, it } from 'vitest'
import { sqlStores } from '../../../adapters/sql.js'
import { describeContract } from '../../../src/testing/contracts/contract.js'
import { callStoreContract } from '../../../src/testing/contracts/call-store.js'
import { counterStoreContract } from '../../../src/testing/contracts/counter-store.js'
import { ledgerStoreContract } from '../../../src/testing/contracts/ledger-store.js'
import { recordStoreContract } from '../../../src/testing/contracts/record-store.js'
import { emptyTables, migratedStores, testDatabases } from './databases.js'

for (const [name, open] of Object.entries(testDatabases)) {
  const test = await open()
  if (!test) continue
  // Here rather than in the suite: it runs although a filter skips the suite.
  afterAll(() => test.close())
  const { database, peer, prefix } = test
  await migratedStores(test)

  describe(`on ${name}`, () => {
    describeContract({ describe, it }, ledgerStoreContract, async () => {
      await emptyTables(test)
      return { store: sqlStores(database, { prefix }).ledger, peer: sqlStores(peer, { prefix }).ledger }
    })
    describeContract({ describe, it }, counterStoreContract, async () => {
      await emptyTables(test)
      return { store: sqlStores(database, { prefix }).counters, peer: sqlStores(peer, { prefix }).counters }
    })
    describeContract({ describe, it }, callStoreContract, async () => {
      await emptyTables(test)
      return { store: sqlStores(database, { prefix }).calls, peer: sqlStores(peer, { prefix }).calls }
    })
    describeContract({ describe, it }, recordStoreContract, async () => {
      await emptyTables(test)
      return { store: sqlStores(database, { prefix }).records, peer: sqlStores(peer, { prefix }).records }
    })
  })
}
