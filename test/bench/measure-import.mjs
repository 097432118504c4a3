import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { median, medianOf } from './statistics.mjs'

const run = promisify(execFile)

/** How long the package takes to load in a fresh process, over a process that loads nothing. */
export async function measureImport({ dist, rounds }) {
  const file = `${dist}/src/index.js`
  const own = []
  const empty = []
  for (let round = 0; round < rounds * 3; round += 1) {
    empty.push(await timeModule(''))
    own.push(await timeModule(`import ${JSON.stringify(pathToFileURL(file).href)}`))
  }
  const { stdout } = await run(process.execPath, [fileURLToPath(new URL('import-probe.mjs', import.meta.url)), file])
  const touched = JSON.parse(stdout)
  const milliseconds = medianOf((a, b) => a - b, own, empty)
  return [
    {
      case: 'import',
      title: "import 'sluice' over an empty process",
      unit: 'ms',
      baseline: 'empty node',
      baselineFigure: median(empty),
      figure: median(own),
      difference: milliseconds,
      target: 80,
      touched,
      reached: milliseconds <= 80 && touched.length === 0,
    },
  ]
}

async function timeModule(source) {
  const start = performance.now()
  await run(process.execPath, ['--input-type=module', '--eval', source])
  return performance.now() - start
}
