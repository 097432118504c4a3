#!/usr/bin/env node
import { runCli } from './cli/run.js'

function fail(error: unknown): void {
  process.stderr.write(`sluice: fatal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
}

/**
 * Listens from the beginning: whoever has read that it listens may stop it at once. Gives what
 * has to be told how to stop.
 */
function stopOnSignals(): (stop: () => Promise<void>) => void {
  let stop: (() => Promise<void>) | undefined
  const onSignal = (): void => {
    const stopNow = stop
    stop = undefined
    // Before there is anything to stop, and for who asks twice and does not want to wait.
    if (!stopNow) process.exit(130)
    stopNow().then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return (started) => void (stop = started)
}

const onSignals = stopOnSignals()
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

runCli(process.argv.slice(2), {
  env: { ...process.env },
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
}).then((outcome) => {
  if ('stop' in outcome) onSignals(() => outcome.stop())
  else process.exitCode = outcome.exitCode
}, fail)
