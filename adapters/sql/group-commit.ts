/** Something to be done within a transaction that it may share with others. */
export interface Operation {
  /** Rows that it locks: two transactions of one process never wait for each other's. */
  readonly locks: readonly string[]
  /** What only one operation of a transaction may be about. */
  readonly names: readonly string[]
  /** Told when its transaction has failed. */
  readonly fail: (error: unknown) => void
}

/** How operations are gathered. */
export interface GroupCommitOptions<O extends Operation> {
  /** Does operations in one transaction, in this order; gives what tells their results once it has committed. */
  readonly run: (operations: readonly O[]) => Promise<readonly (() => void)[]>
  /** Operations of one transaction at most. */
  readonly atOnce: number
  /** Transactions at a time, each on a connection of the host's pool. @default 4 */
  readonly parallel?: number
  /** After so many milliseconds others no longer wait for a transaction's rows here, but in the database. @default 5,000 */
  readonly patienceMs?: number
}

// A queue that is much longer is not searched to its end for what could go at once.
const looksAhead = 4

/**
 * Gathers operations that wait for the same rows into one transaction (group commit): however many come at once, few
 * transactions queue in the database. One that waits for nobody starts at once.
 */
export class GroupCommit<O extends Operation> {
  readonly #options: GroupCommitOptions<O>
  readonly #parallel: number
  /** Rows of transactions that run, and how many of these lock them. */
  readonly #locked = new Map<string, number>()
  #waiting: O[] = []
  #running = 0
  #isPlanned = false

  constructor(options: GroupCommitOptions<O>) {
    this.#options = options
    this.#parallel = options.parallel ?? 4
  }

  add(operation: O): void {
    this.#waiting.push(operation)
    if (this.#isPlanned) return
    this.#isPlanned = true
    // Those that come in the same breath go together.
    queueMicrotask(() => {
      this.#isPlanned = false
      this.#start()
    })
  }

  #start(): void {
    while (this.#running < this.#parallel) {
      const operations = this.#take()
      if (operations.length === 0) return
      void this.#transact(operations)
    }
  }

  /** The first that can go together; whoever stays behind is not overtaken by one that locks the same rows. */
  #take(): readonly O[] {
    const { atOnce } = this.#options
    const taken: O[] = []
    const left: O[] = []
    const names = new Set<string>()
    const blocked = new Set<string>()
    const looked = this.#waiting.slice(0, atOnce * looksAhead)
    for (const operation of looked) {
      const mayGo =
        taken.length < atOnce &&
        !operation.names.some((name) => names.has(name)) &&
        !operation.locks.some((row) => blocked.has(row) || this.#locked.has(row))
      ;(mayGo ? taken : left).push(operation)
      if (mayGo) for (const name of operation.names) names.add(name)
      else for (const row of operation.locks) blocked.add(row)
    }
    this.#waiting = [...left, ...this.#waiting.slice(looked.length)]
    return taken
  }

  async #transact(operations: readonly O[]): Promise<void> {
    const { run, patienceMs = 5_000 } = this.#options
    const unlock = this.#lock(operations)
    this.#running++
    // A connection that hangs must not hold up what others could do.
    const patience = setTimeout(() => {
      unlock()
      this.#start()
    }, patienceMs)
    patience.unref()
    try {
      for (const tell of await run(operations)) tell()
    } catch (error) {
      for (const operation of operations) operation.fail(error)
    } finally {
      clearTimeout(patience)
      unlock()
      this.#running--
      this.#start()
    }
  }

  #lock(operations: readonly O[]): () => void {
    const rows = new Set(operations.flatMap(({ locks }) => locks))
    for (const row of rows) this.#locked.set(row, (this.#locked.get(row) ?? 0) + 1)
    let isLocked = true
    return () => {
      if (!isLocked) return
      isLocked = false
      for (const row of rows) {
        const others = (this.#locked.get(row) ?? 1) - 1
        if (others === 0) this.#locked.delete(row)
        else this.#locked.set(row, others)
      }
    }
  }
}
