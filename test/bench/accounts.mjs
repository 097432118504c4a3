import { loadModules } from './modules.mjs'
import { median } from './statistics.mjs'

const mostMicroseconds = 25
const callsPerRound = 2_000

/**
 * What it costs to write a call down, and what it adds to let it in and to settle it, with counters and ledger in memory.
 */
export async function measureAccounts({ dist, scale }) {
  const [{ CallTrail }, { createParts }] = await loadModules(dist, ['router/trail', 'gateway/create-parts'])
  const rows = []
  for (const { title, scopes } of callers) {
    const options = {
      models: [{ modelName: 'main', model: 'openai/gpt-4o-mini', apiKey: 'sk-none', prices: { input: 1, output: 2 } }],
      auth: 'none',
      // What a ledger does with its rows is its own affair.
      stores: { ledger: { append: async () => {}, total: async () => 0n } },
    }
    const { call, books } = createParts(options)
    const [deployment] = call.directory.groups.all
    const caller = { id: 'user', role: 'member', models: 'all', scopes }
    const group = call.directory.groups.resolve('main', caller)
    const once = async (number) => {
      const trail = new CallTrail()
      const planned = { operation: 'chat', request: requestOf(number) }
      const opening = call.accounts.open({ planned, caller, callId: `call-${number}`, group, readTags: () => [] })
      const account = opening instanceof Promise ? await opening : opening
      const entry = trail.begin({ target: deployment, modelName: 'main', reason: 'first', startedAt: Date.now() })
      const admission = account.attempt(entry, trail)
      if (admission) await admission
      Object.assign(entry, { sent: true, accepted: true, outcome: 'answered', endedAt: Date.now(), usage })
      account.close(trail)
    }
    const times = []
    for (let round = 0; round < 5 + 40 * scale; round += 1) {
      const start = process.cpuUsage()
      for (let made = 0; made < callsPerRound; made += 1) await once(made)
      const { user, system } = process.cpuUsage(start)
      // The first rounds warm up.
      if (round >= 5) times.push((user + system) / callsPerRound)
    }
    await books.close(5_000)
    rows.push({ title, figure: median(times) })
  }
  const [written] = rows
  return rows.map((row) => {
    const figure = row === written ? row.figure : row.figure - written.figure
    const reached = figure <= mostMicroseconds
    return { case: 'accounts', title: row.title, unit: 'µs', figure, target: mostMicroseconds, reached }
  })
}

const budget = { maxBudget: 1_000_000, budgetDuration: '1mo' }
const callers = [
  { title: 'ledger row of a call, no limits', scopes: [{ kind: 'user', id: 'user' }] },
  {
    title: 'admission and settlement add, budget and limits of a key',
    scopes: [{ kind: 'key', id: 'key', budget, rpm: 1_000_000_000, tpm: 1_000_000_000_000 }],
  },
  {
    title: 'the same, budgets of organization, team and key',
    scopes: [
      { kind: 'organization', id: 'organization', budget },
      { kind: 'team', id: 'team', budget, rpm: 1_000_000_000 },
      { kind: 'key', id: 'key', budget, rpm: 1_000_000_000, tpm: 1_000_000_000_000 },
    ],
  },
]

const usage = { prompt_tokens: 400, completion_tokens: 60, total_tokens: 460 }
const text = 'A question of some length, as people ask them every day, with a little context around it. '.repeat(20)

function requestOf(number) {
  return { model: 'main', messages: [{ role: 'user', content: `${number} ${text}` }], max_tokens: 200 }
}
