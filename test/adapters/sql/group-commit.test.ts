import { describe, expect, it } from 'vitest'
import { GroupCommit, type Operation } from '../../../adapters/sql/group-commit.js'

interface Named extends Operation {
  readonly name: string
}

/** A group commit whose transactions end when a test says so. */
function createLab(options: { atOnce?: number; patienceMs?: number } = {}) {
  const transactions: string[] = []
  const ends: ((error?: Error) => void)[] = []
  const told: string[] = []
  const commits = new GroupCommit<Named>({
    atOnce: options.atOnce ?? 100,
    patienceMs: options.patienceMs ?? 60_000,
    run(operations) {
      transactions.push(operations.map(({ name }) => name).join(' '))
      return new Promise((resolve, reject) => {
        const tells = operations.map(
          ({ name }) =>
            () =>
              void told.push(name),
        )
        ends.push((error) => (error ? reject(error) : resolve(tells)))
      })
    },
  })
  const add = (name: string, locks: string, names = name): void => {
    commits.add({ name, locks: locks.split(' '), names: [names], fail: () => void told.push(`${name} failed`) })
  }
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const end = async (place: number, error?: Error): Promise<void> => {
    ends[place]?.(error)
    await settle()
  }
  return { add, end, settle, transactions, told }
}

describe('a group commit', () => {
  it('takes whatever waits for the same rows into one transaction', async () => {
    const { add, end, settle, transactions, told } = createLab()
    add('a', 'team')
    await settle()
    for (const name of ['b', 'c', 'd']) add(name, 'team')
    await settle()
    expect(transactions).toEqual(['a'])
    await end(0)
    expect(transactions).toEqual(['a', 'b c d'])
    expect(told).toEqual(['a'])
    await end(1)
    expect(told).toEqual(['a', 'b', 'c', 'd'])
  })

  it('runs four transactions about different rows at a time', async () => {
    const { add, end, settle, transactions } = createLab()
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      add(name, name)
      await settle()
    }
    expect(transactions).toEqual(['a', 'b', 'c', 'd'])
    await end(2)
    expect(transactions.at(-1)).toBe('e f')
  })

  it('lets nobody overtake who locks the same rows', async () => {
    const { add, end, settle, transactions } = createLab()
    add('a', 'x')
    await settle()
    add('b', 'x y')
    add('c', 'y')
    add('d', 'z')
    await settle()
    expect(transactions).toEqual(['a', 'd'])
    await end(0)
    expect(transactions).toEqual(['a', 'd', 'b c'])
  })

  it('has two operations about one reservation one after the other', async () => {
    const { add, end, settle, transactions } = createLab()
    add('reserve', 'x', 'r1')
    add('release', 'x', 'r1')
    add('other', 'x', 'r2')
    await settle()
    expect(transactions).toEqual(['reserve'])
    await end(0)
    expect(transactions).toEqual(['reserve', 'release other'])
  })

  it('takes so many at once and no more', async () => {
    const { add, end, settle, transactions } = createLab({ atOnce: 2 })
    for (const name of ['a', 'b', 'c', 'd', 'e']) add(name, 'x')
    await settle()
    await end(0)
    await end(1)
    expect(transactions).toEqual(['a b', 'c d', 'e'])
  })

  it('tells everybody of a transaction that failed, and goes on', async () => {
    const { add, end, settle, transactions, told } = createLab()
    add('a', 'x')
    add('b', 'x')
    await settle()
    add('c', 'x')
    await end(0, new Error('ECONNRESET'))
    expect(told).toEqual(['a failed', 'b failed'])
    await end(1)
    expect(transactions).toEqual(['a b', 'c'])
    expect(told).toEqual(['a failed', 'b failed', 'c'])
  })

  it('does not wait for ever for a connection that hangs', async () => {
    const { add, end, settle, transactions, told } = createLab({ patienceMs: 1 })
    add('a', 'x')
    await settle()
    add('b', 'x')
    await expect.poll(() => transactions).toEqual(['a', 'b'])
    await end(1)
    await end(0)
    expect(told).toEqual(['b', 'a'])
  })
})
