import { Secret } from '../secret.js'

/** Environment variables, as the host hands them over; nothing here reads `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A variable that is set, and its name. */
export interface SetVariable {
  readonly name: string
  readonly value: string
}

/** The first of the variables that is set; one of only white space counts as unset. */
export function firstSet(env: Environment, names: readonly string[]): SetVariable | undefined {
  for (const name of names) {
    const value = env[name]?.trim()
    if (value) return { name, value }
  }
  return undefined
}

/** A credential that came from an environment variable, where its name decides how it is sent. */
export class EnvironmentSecret extends Secret {
  readonly variable: string

  constructor(variable: SetVariable) {
    super(variable.value)
    this.variable = variable.name
  }
}

/** `A`, `A or B`, `A, B or C`: variable names as an error message lists them. */
export function listNames(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`
}
