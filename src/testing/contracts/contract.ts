/** The two functions of a test runner that a contract needs; those of vitest, jest, mocha and node:test fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

/** An implementation of a port on trial, with nothing kept in it yet. */
export interface Trial<Store> {
  readonly store: Store
  /** Another one over the same data, as another process has it; the store itself where one is as good as two. */
  readonly peer: Store
  /** The store's time, in milliseconds since the epoch. */
  readonly now: () => number
  /** Lets time pass for the store: advances its clock, or waits. */
  readonly pass: (milliseconds: number) => Promise<void>
}

/** What a host gives for each trial; `close` is called after it. */
export interface TrialSetup<Store> {
  readonly store: Store
  /** @default the store itself */
  readonly peer?: Store
  /** @default real time */
  now?(): number
  /** @default waits in real time */
  pass?(milliseconds: number): Promise<void> | void
  close?(): Promise<unknown> | void
}

/** What every implementation of a port must do: a check that rejects, by the sentence that it proves. */
export interface Contract<Store> {
  readonly name: string
  readonly clauses: Readonly<Record<string, (trial: Trial<Store>) => Promise<void>>>
}

/**
 * Declares one test per clause of a contract, each with a setup of its own:
 * `describeContract({ describe, it }, cacheStoreContract, () => ({ store: myCache() }))`.
 */
export function describeContract<Store>(
  runner: TestRunner,
  contract: Contract<Store>,
  open: () => Promise<TrialSetup<Store>> | TrialSetup<Store>,
): void {
  runner.describe(contract.name, () => {
    for (const [sentence, check] of Object.entries(contract.clauses)) {
      runner.it(sentence, async () => {
        const setup = await open()
        const now = (): number => (setup.now ? setup.now() : Date.now())
        const pass = async (milliseconds: number): Promise<void> =>
          setup.pass ? setup.pass(milliseconds) : wait(milliseconds)
        try {
          await check({ store: setup.store, peer: setup.peer ?? setup.store, now, pass })
        } finally {
          await setup.close?.()
        }
      })
    }
  })
}

async function wait(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(() => resolve(), milliseconds))
}
