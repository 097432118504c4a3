import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { median, medianOf } from './statistics.mjs'

const run = promisify(execFile)

/** How long the package takes to load in a fresh process, over a process that loads nothing. */
export async function measureImport({ dist, scale }) {
  const file = `${dist}/src/index.js`
  const own = []
  const empty = []
  for (let round = 0; round < 25 * scale; round += 1) {
    empty.push(await timeModule(''))
    own.push(await timeModule(`import ${JSON.stringify(pathToFileURL(file).href)}`))
  }
  const { stdout } = await run(process.execPath, [fileURLToPath(new URL('import-probe.mjs', import.meta.url)), file])
  const touched = JSON.parse(stdout)
  const wall = (sample) => sample.wall
  const cpu = (sample) => sample.cpu
  const milliseconds = medianOf((a, b) => a - b, own.map(wall), empty.map(wall))
  return [
    {
      case: 'import',
      title: "import 'sluice' over an empty process",
      unit: 'ms',
      baseline: 'empty node',
      baselineFigure: median(empty.map(wall)),
      figure: median(own.map(wall)),
      difference: milliseconds,
      cpuDifference: medianOf((a, b) => a - b, own.map(cpu), empty.map(cpu)),
      target: 80,
      touched,
      reached: milliseconds <= 80 && touched.length === 0,
    },
  ]
}

// Wall time is what a user waits; CPU time tells the same where other work disturbs.
const tellCpu = 'process.on("exit", () => { const { user, system } = process.cpuUsage(); console.log(user + system) })'

async function timeModule(source) {
  const start = performance.now()
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', `${source};${tellCpu}`])
  return { wall: performance.now() - start, cpu: Number(stdout) / 1_000 }
}
