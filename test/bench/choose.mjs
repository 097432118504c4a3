import { loadModules } from './modules.mjs'
import { median } from './statistics.mjs'

const sizes = [1, 10, 100, 1_000]
const mostMicroseconds = 10
const mostTimesTen = 3
const picksPerRound = 20_000
const now = 1_800_000_000_000

/** What it costs to choose among deployments of which every second one rests, by the default strategy. */
export async function measureChoose({ dist, scale }) {
  const names = ['choose', 'model-group', 'deployment-state', 'strategies/index'].map((name) => `router/${name}`)
  const [{ choose }, { toModelGroup }, { DeploymentState }, { strategies }] = await loadModules(dist, names)
  const strategy = strategies['simple-shuffle']()
  const cases = sizes.map((size) => ({ size, group: groupOf(size, { toModelGroup, DeploymentState }), times: [] }))
  const failed = new Set()
  // As a call does it: the circumstances are put together for every pick.
  const pick = (group) =>
    choose(group, {
      failed,
      check: undefined,
      prefer: undefined,
      enforceRates: false,
      strategy,
      view: { now, random: Math.random, stream: false, inputTokens: 0 },
    })
  for (let round = 0; round < 5 + 100 * scale; round += 1) {
    for (const { group, times } of cases) {
      const start = process.hrtime.bigint()
      for (let picked = 0; picked < picksPerRound; picked += 1) {
        const member = pick(group)
        if (!member || member.state.coolingUntil > 0) throw new Error('A resting deployment was chosen, or none.')
      }
      // The first rounds warm up.
      if (round >= 5) times.push(Number(process.hrtime.bigint() - start) / 1_000 / picksPerRound)
    }
  }
  return toRows(cases.map(({ size, times }) => ({ size, figure: median(times) })))
}

function groupOf(size, { toModelGroup, DeploymentState }) {
  const deployments = Array.from({ length: size }, (_, index) => ({ id: `deployment-${index}`, order: 1, weight: 1 }))
  const group = toModelGroup('group', deployments, (id) => new DeploymentState(id))
  for (const [index, { state }] of group.members.entries()) if (index % 2 === 1) state.coolingUntil = now + 60_000
  return group
}

function toRows(measured) {
  const rows = measured.map(({ size, figure }) => ({
    case: 'choose',
    title: `choose among ${size}${size > 1 ? ', half resting' : ''}`,
    unit: 'µs',
    figure,
    target: mostMicroseconds,
    reached: figure <= mostMicroseconds,
  }))
  const [ten, thousand] = [10, 1_000].map((size) => measured.find((one) => one.size === size).figure)
  const ratio = thousand / ten
  return [
    ...rows,
    {
      case: 'choose',
      title: 'choose among 1000 over choose among 10',
      unit: 'µs',
      figure: thousand,
      baseline: 'among 10',
      baselineFigure: ten,
      ratio,
      target: mostTimesTen,
      reached: ratio < mostTimesTen,
    },
  ]
}
