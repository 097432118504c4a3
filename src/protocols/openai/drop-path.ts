import { isObject } from '../../wire/json.js'
import type { Body } from './parameters.js'

/**
 * Removes what a path names: `seed`, `response_format.strict`, `tools[*].cache_control`, `messages[0].name`. Copies
 * what it changes, so that the request it came from keeps it. True where something was removed.
 */
export function dropPath(body: Body, path: string): boolean {
  const [first, ...rest] = path.split(/\.|(?=\[)/)
  if (first === undefined || !(first in body) || first === 'model' || first === 'stream') return false
  if (rest.length === 0) return delete body[first]
  const before = body[first]
  const after = without(before, rest)
  if (after === before) return false
  body[first] = after
  return true
}

function without(value: unknown, path: readonly string[]): unknown {
  const [step = '', ...rest] = path
  const position = /^\[(\*|\d+)\]$/.exec(step)?.[1]
  if (position !== undefined) return withoutInList(value, position, rest)
  if (!isObject(value) || !(step in value)) return value
  if (rest.length === 0) {
    const { [step]: _removed, ...others } = value
    return others
  }
  const after = without(value[step], rest)
  return after === value[step] ? value : { ...value, [step]: after }
}

function withoutInList(value: unknown, position: string, rest: readonly string[]): unknown {
  if (!Array.isArray(value)) return value
  const isMeant = (index: number): boolean => position === '*' || index === Number(position)
  if (rest.length === 0) return value.filter((_, index) => !isMeant(index))
  const after = value.map((entry: unknown, index) => (isMeant(index) ? without(entry, rest) : entry))
  return after.some((entry, index) => entry !== value[index]) ? after : value
}
