import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { type Logger, GatewayError, createGateway, version } from '../../src/index.js'
import { nodeGateway, type NodeRequest } from '../node.js'
import { uiGateway } from '../ui.js'
import { wholeGateway } from '../whole-description.js'
import { parseArguments, usage, UsageError, type CliArguments } from './arguments.js'
import { createSetup } from './create-setup.js'
import { passOn } from './prometheus.js'
import { startServer } from './server.js'
import type { Environment, Setup } from './setup.js'
import { StartError } from './start-error.js'

/** What the program needs of its process. */
export interface CliProcess {
  readonly env: Environment
  out(text: string): void
  error(text: string): void
}

/** How the program goes on: it has ended with an exit code, or it serves until it is stopped. */
export type CliOutcome = { readonly exitCode: number } | { stop(): Promise<void> }

const drainMs = 30_000

/** Runs the program with the words behind its name; what it serves goes on after the promise has resolved. */
export async function runCli(words: readonly string[], process: CliProcess): Promise<CliOutcome> {
  try {
    const parsed = parseArguments(words)
    if (parsed.help) return print(process, usage)
    if (parsed.version) return print(process, `${version}\n`)
    return await serve(parsed, process)
  } catch (error) {
    if (error instanceof UsageError) {
      process.error(`sluice: ${error.message}\n\n${usage}`)
      return { exitCode: 2 }
    }
    // A user's mistake is told without a stack; anything else is ours, and needs one.
    if (!(error instanceof StartError) && !GatewayError.isInstance(error)) throw error
    for (const line of error.message.split('\n')) process.error(`sluice: ${line}\n`)
    return { exitCode: 1 }
  }
}

function print(process: CliProcess, text: string): CliOutcome {
  process.out(text)
  return { exitCode: 0 }
}

async function serve(parsed: CliArguments, process: CliProcess): Promise<CliOutcome> {
  const setup = await createSetup(parsed, process.env)
  for (const warning of setup.warnings) process.error(`sluice: warning: ${warning}\n`)
  try {
    return await listen(setup, parsed, process)
  } catch (error) {
    await setup.close?.()
    throw error
  }
}

async function listen(setup: Setup, { host, port, journal }: CliArguments, process: CliProcess): Promise<CliOutcome> {
  // The gateway never runs open by accident: a file without a master key gets one.
  const generated = setup.options.masterKey === undefined ? createMasterKey() : undefined
  const masterKey = setup.options.masterKey ?? generated
  const spend = { ...setup.options.spend, ...(journal !== undefined && { journalDirectory: resolve(journal) }) }
  const gateway = build({ keys: true, ...setup.options, spend, masterKey, logger: stderrLogger(process) })
  const apis = nodeGateway(wholeGateway(gateway))
  const page = nodeGateway(uiGateway(gateway), { path: '/ui' })
  const metrics = setup.metrics ?? passOn
  const server = await startServer(
    (request, response) => metrics(request, response, () => apis(request, response, () => page(request, response))),
    host,
    port,
  )
  if (generated !== undefined) process.error(`sluice: master key, made for this run: ${generated}\n`)
  process.error(setup.banner?.(server.url, generated ?? '') ?? '')
  process.out(`sluice listening on ${server.url}\n`)
  return {
    async stop() {
      await server.stop((milliseconds) => gateway.close({ drainMs: milliseconds }), drainMs)
      await setup.close?.()
    },
  }
}

function build(
  options: Parameters<typeof createGateway<NodeRequest>>[0],
): ReturnType<typeof createGateway<NodeRequest>> {
  try {
    return createGateway(options)
  } catch (error) {
    if (error instanceof TypeError) throw new StartError(error.message)
    throw error
  }
}

/** `sk-` and 32 random characters that need no escape in a URL or a shell. */
export function createMasterKey(): string {
  return `sk-${randomBytes(24).toString('base64url')}`
}

function stderrLogger(process: CliProcess): Logger {
  const write = (level: string) => (fields: object, message: string) => {
    const cause: unknown = 'error' in fields ? fields.error : undefined
    const detail = cause instanceof Error ? `\n${cause.stack ?? cause.message}` : ''
    process.error(`sluice: ${level}: ${message}${detail}\n`)
  }
  return { debug() {}, info() {}, warn: write('warning'), error: write('error') }
}
