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

  /** Stores with nothing in them, over connections of their own, whose time passes when it is told to. */
  const trialOf = async <Part extends 'ledger' | 'counters' | 'calls' | 'records'>(part: Part) => {
    await emptyTables(test)
    let passed = 0
    const now = (): number => Date.now() + passed
    const [store, other] = [database, peer].map((one) => sqlStores(one, { prefix, clock: { now } })[part])
    if (!store || !other) throw new Error('no stores')
    return { store, peer: other, now, pass: (milliseconds: number) => void (passed += milliseconds) }
  }

  describe(`on ${name}`, () => {
    describeContract({ describe, it }, ledgerStoreContract, () => trialOf('ledger'))
    describeContract({ describe, it }, counterStoreContract, () => trialOf('counters'))
    describeContract({ describe, it }, callStoreContract, () => trialOf('calls'))
    describeContract({ describe, it }, recordStoreContract, () => trialOf('records'))
  })
}
