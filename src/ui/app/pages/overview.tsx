import { useState } from 'preact/hooks'
import { type Json, ask } from '../api.js'
import { Chart } from '../kit/chart.js'
import { compact, count, dayBack, dollars, plainText } from '../kit/format.js'
import { Empty, Loading, PageHead } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { type Activity, type Metrics, sumBreakdown, toDays } from './activity.js'
import { BudgetGauges, type BudgetUsage } from './budget-gauges.js'

const periods = [7, 30, 90] as const

const charts = [
  { metric: 'spend', title: 'Spend', format: dollars },
  { metric: 'api_requests', title: 'Requests', format: compact },
  { metric: 'total_tokens', title: 'Tokens', format: compact },
  { metric: 'failed_requests', title: 'Errors', format: compact },
  { metric: 'cache_hits', title: 'Cache hits', format: compact },
  { metric: 'cache_read_input_tokens', title: 'Cached input', format: compact },
] as const satisfies readonly { metric: keyof Metrics; title: string; format: (value: number) => string }[]

interface Facts {
  readonly activity: Activity
  readonly keys: ReadonlyMap<string, string>
  readonly teams: ReadonlyMap<string, Json>
  readonly byTeam: readonly { readonly team_id: string; readonly spend: number }[]
  readonly budgets: readonly BudgetUsage[]
}

/** Five requests: sums from the daily roll-ups, and the names that go with them. */
async function readFacts(days: number, signal: AbortSignal): Promise<Facts> {
  const query = { start_date: dayBack(days - 1), end_date: dayBack(0) }
  const [activity, keys, teams, byTeam, usage] = await Promise.all([
    ask<Activity>({ path: '/user/daily/activity', query, signal }),
    ask<{ keys: readonly Json[] }>({ path: '/key/list', query: { return_full_object: true, limit: 1_000 }, signal }),
    ask<readonly Json[]>({ path: '/team/list', query: { limit: 1_000 }, signal }),
    ask<Facts['byTeam']>({ path: '/spend/teams', query, signal }),
    ask<{ budgets: readonly BudgetUsage[] }>({ path: '/budget/usage', signal }),
  ])
  return {
    activity,
    keys: new Map(keys.keys.map((key) => [plainText(key['key_id']), plainText(key['key_alias'] ?? key['key_name'])])),
    teams: new Map(teams.map((team) => [plainText(team['team_id']), team])),
    byTeam,
    budgets: usage.budgets,
  }
}

/** What was used and spent lately, and by whom. */
export function Overview() {
  const [days, setDays] = useState<number>(30)
  const [loaded, reload] = useLoad(String(days), (signal) => readFacts(days, signal))
  return (
    <>
      <PageHead title="Overview" lead="By day, in UTC, as the ledger counts.">
        <div class="segments" role="group" aria-label="Period">
          {periods.map((length) => (
            <button aria-pressed={length === days} onClick={() => setDays(length)} key={length}>
              {length} days
            </button>
          ))}
        </div>
      </PageHead>
      <Loading of={loaded} retry={reload}>
        {(facts) => (
          <div class="stack">
            <Tiles totals={facts.activity.metadata} />
            <Trend activity={facts.activity} days={days} />
            <Tops facts={facts} />
          </div>
        )}
      </Loading>
    </>
  )
}

function Tiles({ totals }: { readonly totals: Activity['metadata'] }) {
  const { total_spend: spend, total_api_requests: requests, total_failed_requests: failed } = totals
  const errorShare = requests === 0 ? 0 : (100 * failed) / requests
  const hitShare = requests === 0 ? 0 : (100 * (totals.total_cache_hits ?? 0)) / requests
  const cachedShare =
    totals.total_prompt_tokens === 0 ? 0 : (100 * totals.total_cache_read_input_tokens) / totals.total_prompt_tokens
  const tiles: readonly (readonly [string, string, string])[] = [
    ['Spend', dollars(spend), requests === 0 ? 'no calls' : `${dollars(spend / requests)} a call`],
    ['Requests', count(requests), 'attempts and cached answers'],
    [
      'Tokens',
      compact(totals.total_tokens),
      `${compact(totals.total_prompt_tokens)} in, ${compact(totals.total_completion_tokens)} out`,
    ],
    ['Errors', `${errorShare.toFixed(1)} %`, `${count(failed)} failed`],
    [
      'Cache hits',
      count(totals.total_cache_hits ?? 0),
      `${hitShare.toFixed(1)} % of requests; providers had ${cachedShare.toFixed(1)} % of the input`,
    ],
  ]
  return (
    <dl class="tiles">
      {tiles.map(([name, value, more]) => (
        <div class="card tile" key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          <small>{more}</small>
        </div>
      ))}
    </dl>
  )
}

function Trend({ activity, days }: { readonly activity: Activity; readonly days: number }) {
  const [chosen, setChosen] = useState<(typeof charts)[number]['metric']>('spend')
  const chart = charts.find(({ metric }) => metric === chosen) ?? charts[0]
  const { dates, values } = toDays(activity, days, chosen)
  return (
    <section class="card" aria-label="Over time">
      <header>
        <h2>{chart.title} over time</h2>
        <div class="segments" role="group" aria-label="Figure">
          {charts.map(({ metric, title }) => (
            <button aria-pressed={metric === chosen} onClick={() => setChosen(metric)} key={metric}>
              {title}
            </button>
          ))}
        </div>
      </header>
      <div class="body">
        <Chart title={chart.title} dates={dates} values={values} format={chart.format} />
      </div>
    </section>
  )
}

interface Bar {
  readonly name: string
  readonly spend: number
}

function Tops({ facts }: { readonly facts: Facts }) {
  const { activity, keys, teams, byTeam, budgets } = facts
  const teamBars = byTeam.map(({ team_id: id, spend }) => ({
    name: plainText(teams.get(id)?.['team_alias'] ?? id),
    spend,
  }))
  const keyBars = sumBreakdown(activity, 'api_keys').map(({ name, spend }) => ({
    name: keys.get(name) ?? name.slice(0, 12),
    spend,
  }))
  return (
    <div class="grid">
      <Top title="Top models" bars={sumBreakdown(activity, 'models')} />
      <Top title="Top keys" bars={keyBars} />
      <Top title="Top teams" bars={teamBars} />
      <BudgetGauges budgets={budgets} />
    </div>
  )
}

const shown = 6

function Top({ title, bars }: { readonly title: string; readonly bars: readonly Bar[] }) {
  const most = Math.max(...bars.map(({ spend }) => spend), 0)
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      <div class="body">
        {bars.length === 0 ? (
          <Empty title="Nothing spent" />
        ) : (
          <ul class="bars">
            {bars.slice(0, shown).map(({ name, spend }) => (
              <li key={name}>
                <span title={name}>{name}</span>
                <span class="number">{dollars(spend)}</span>
                <div class="bar">
                  <i style={{ width: `${most === 0 ? 0 : (100 * spend) / most}%` }} />
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  )
}
