import { parseArgs } from 'node:util'

/** What the command line asks for. */
export interface CliArguments {
  readonly config: string | undefined
  readonly model: string | undefined
  /** Where rows of the ledger lie until the database has them. */
  readonly journal: string | undefined
  readonly host: string
  readonly port: number
  readonly help: boolean
  readonly version: boolean
}

/** A command line that cannot be understood; answered with the usage and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What `--help` prints. */
export const usage = `Usage: sluice [--config <file> | --model <provider/model>] [--host <address>] [--port <number>]
              [--journal <directory>]

An OpenAI-compatible gateway over many providers. Without --config and --model it serves a demo that needs no key.

  -c, --config <file>           LiteLLM's config.yaml (or the same as .json)
  -m, --model <provider/model>  serve one model; its key is read from the environment
      --host <address>          address to listen on [127.0.0.1]
  -p, --port <number>           port to listen on, 0 for any free one [4000]
      --journal <directory>     keep what was spent here until the database has it, so that a kill loses none
  -h, --help                    print this
  -v, --version                 print the version
`

const options = {
  config: { type: 'string', short: 'c' },
  model: { type: 'string', short: 'm' },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', short: 'p', default: '4000' },
  journal: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const

/** Reads the words behind the program's name. @throws UsageError */
export function parseArguments(words: readonly string[]): CliArguments {
  const { config, model, host, port, journal, help, version } = parseWords(words)
  if (config !== undefined && model !== undefined) throw new UsageError('--config and --model exclude each other')
  if ([config, model, host, journal].includes('')) throw new UsageError('an option has an empty value')
  return { config, model, journal, host: host.replace(/^\[(.*)\]$/, '$1'), port: toPort(port), help, version }
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    // Node explains more than fits on a line.
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : 'wrong arguments')
  }
}

function toPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError('--port must be a number from 0 to 65535')
}
