#!/usr/bin/env node
import { runCli } from './cli/run.js'

function fail(error: unknown): void {
  process.stderr.write(`sluice: fatal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
}

function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = (): void => {
    // Who asks twice does not want to wait.
    if (stopping) process.exit(130)
    stopping = true
    stop().then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

runCli(process.argv.slice(2), {
  env: { ...process.env },
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
}).then((outcome) => {
  if ('stop' in outcome) stopOnSignals(() => outcome.stop())
  else process.exitCode = outcome.exitCode
}, fail)
