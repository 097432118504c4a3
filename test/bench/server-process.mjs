// The server under test, in a process of its own: node server-process.mjs <variant> <upstream base URL> <dist>
import { answerParent } from './child-process.mjs'
import { serveVariant } from './variants.mjs'

const [variant, upstream, dist] = process.argv.slice(2)
const unhandled = []
process.on('unhandledRejection', (error) => unhandled.push(String(error)))

/** Counts how often a text of at least `length` characters is parsed from now on. */
function countLargeParses(length) {
  const { parse } = JSON
  let count = 0
  JSON.parse = (text, reviver) => {
    if (text.length >= length) count += 1
    return parse(text, reviver)
  }
  return () => {
    JSON.parse = parse
    return count
  }
}

let stopCounting
const port = await serveVariant(variant, upstream, dist)
answerParent({
  /** CPU time of all threads so far, in microseconds. */
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  memory: () => {
    for (let round = 0; round < 3; round += 1) globalThis.gc?.()
    return process.memoryUsage()
  },
  unhandled: () => unhandled,
  countParses: (length) => {
    stopCounting = countLargeParses(length)
  },
  parses: () => stopCounting(),
})
process.send({ ready: port })
