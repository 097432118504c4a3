import { GatewayError } from '../errors.js'

/** A configuration that cannot be used; `message` lists every problem with its path, and never a value. */
export class ConfigError extends GatewayError {
  override readonly name = 'ConfigError'
  /** One line per problem: `path: what is wrong`. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[], cause?: unknown) {
    super('invalid_request', problems.join('\n'), { cause })
    this.problems = problems
  }
}
