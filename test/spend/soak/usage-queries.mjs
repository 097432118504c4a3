import { percentile } from './lab.mjs'

const dayMs = 86_400_000
const dayOf = (at) => new Date(at).toISOString().slice(0, 10)

/** The questions that pages, reports and limits ask, by name; each gives how many rows were answered. */
export function usageQueries(ledger, now) {
  const [month, quarter] = [30, 90].map((days) => ({
    fromDay: dayOf(now - (days - 1) * dayMs),
    untilDay: dayOf(now),
  }))
  const ever = { fromDay: '1970-01-01', untilDay: dayOf(now) }
  const report = (period, by, scope) => async () =>
    (await ledger.report({ ...period, by, ...(scope && { scope }) })).length
  const rows = (query) => async () => (await ledger.query(query)).entries.length
  const total = (scope, from) => async () => Number((await ledger.total(scope, from)) > 0n)
  const [team, user, key] = ['team', 'user', 'key'].map((kind) => ({ kind, id: `${kind}-7` }))
  return {
    'report by day, 30 days': report(month, ['day']),
    'report by day, model and provider, 30 days': report(month, ['day', 'model', 'provider']),
    'report by team, 30 days': report(month, ['team']),
    'report by team, user and model, 30 days': report(month, ['team', 'user', 'model']),
    'report by team, user and model, 90 days': report(quarter, ['team', 'user', 'model']),
    'report by day, team and model, 30 days': report(month, ['day', 'team', 'model']),
    'report by day, model and key of a team, 30 days': report(month, ['day', 'model', 'key'], team),
    'report by day, team, model and key of a user, 90 days': report(quarter, ['day', 'team', 'model', 'key'], user),
    'spend of every key, ever': report(ever, ['key']),
    'spend of every user, ever': report(ever, ['user']),
    'spend of every team, ever': report(ever, ['team']),
    'keys of a team, ever': report(ever, ['key'], team),
    'total of a team, 30 days': total(team, now - 30 * dayMs + 1_234_567),
    'total of a key, ever': total(key, 0),
    'newest rows': rows({ limit: 100 }),
    'newest rows of a team': rows({ scope: team, limit: 100 }),
    'rows of a key on one day': rows({ scope: key, from: now - 40 * dayMs, until: now - 39 * dayMs, limit: 100 }),
    'rows that failed': rows({ failed: true, limit: 100 }),
    'rows without a price': rows({ priced: false, limit: 100 }),
    'rows of a model': rows({ modelName: 'model-3', limit: 100 }),
    'rows of one call': rows({ callId: 'call-4321' }),
  }
}

/** Asks each question some times, and gives the median and the longest time in milliseconds. */
export async function measureQueries(queries, times) {
  const results = []
  for (const [name, ask] of Object.entries(queries)) {
    const took = []
    let rows = 0
    for (let time = 0; time < times; time += 1) {
      const from = performance.now()
      rows = await ask()
      took.push(performance.now() - from)
    }
    took.sort((a, b) => a - b)
    results.push({ name, rows, median: percentile(took, 0.5), longest: took.at(-1) })
  }
  return results
}
