import { describe, expect, it } from 'vitest'
import type { Hold } from '../../src/ports/counters.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { counterStoreContract } from '../../src/testing/contracts/counter-store.js'
import { describeContract } from '../../src/testing/index.js'
import { FakeClock } from '../support/fake-clock.js'

describeContract({ describe, it }, counterStoreContract, () => {
  const clock = new FakeClock()
  clock.advance(Date.now() - clock.now())
  return {
    store: createMemoryCounters({ clock }),
    pass: (milliseconds) => clock.advance(milliseconds),
  }
})
