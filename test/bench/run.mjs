// npm run bench [-- --quick] [--only <case>] [--json] [--dist <folder>]
// Prints what the gateway costs, as ratios of processes that are measured in turn within one run. Timings decide
// nothing: the exit code is 0 unless a server gives a wrong answer or breaks.
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureAccounts } from './accounts.mjs'
import { groups } from './cases.mjs'
import { measureChoose } from './choose.mjs'
import { measureGroup } from './measure-group.mjs'
import { measureImport } from './measure-import.mjs'
import { measureMemory } from './measure-memory.mjs'
import { measureRedis } from './measure-redis.mjs'
import { toTable } from './table.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    dist: { type: 'string', default: fileURLToPath(new URL('../../dist/esm', import.meta.url)) },
  },
})
const dist = resolve(options.dist)
const effort = options.quick ? { dist, scale: 0.2 } : { dist, scale: 1 }

/** Everything that can be measured, by the names of its cases. */
const measurements = [
  ...groups.map((group) => ({ names: group.rows.map((row) => row.name), measure: () => measureGroup(group, effort) })),
  { names: ['choose'], measure: () => measureChoose(effort) },
  { names: ['redis'], measure: () => measureRedis(effort) },
  { names: ['accounts'], measure: () => measureAccounts(effort) },
  { names: ['memory'], measure: () => measureMemory(effort) },
  { names: ['import'], measure: () => measureImport(effort) },
]

function chosen() {
  const known = measurements.flatMap(({ names }) => names)
  const unknown = options.only.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`No case is called ${unknown.join(', ')}. There are: ${known.join(', ')}.`)
  if (options.only.length === 0) return measurements
  return measurements.filter(({ names }) => names.some((name) => options.only.includes(name)))
}

if (!existsSync(`${dist}/src/index.js`)) throw new Error(`Nothing is built in ${dist}. Run: npm run build`)
const wanted = chosen()
const results = []
for (const { names, measure } of wanted) {
  process.stderr.write(`measuring ${names.join(', ')} …\n`)
  const measured = await measure()
  results.push(...measured.filter((result) => options.only.length === 0 || options.only.includes(result.case)))
}
if (options.json) console.log(JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, results }, null, 2))
else console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n\n${toTable(results)}`)
