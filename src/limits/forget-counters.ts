import type { CounterStore } from '../ports/counters.js'

// One question has one deadline: it must not be about everything that a host has.
const forgottenAtOnce = 500

/** Forgets what counters have spent, however many there are; `onDone` hears of those that are. Rejects where the store does. */
export async function forgetCounters(
  store: Pick<CounterStore, 'forget'>,
  tenant: string,
  counters: readonly string[],
  onDone: (counters: readonly string[]) => void = () => {},
): Promise<void> {
  for (let at = 0; at < counters.length; at += forgottenAtOnce) {
    const some = counters.slice(at, at + forgottenAtOnce)
    await store.forget(tenant, some)
    onDone(some)
  }
}
