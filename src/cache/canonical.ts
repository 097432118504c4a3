import { hash } from 'node:crypto'

// Sorting members is the one step that is not linear, so there is a bound to how many are sorted; and recursion needs
// one too. No real request comes near either.
const mostMembers = 50_000
const mostLevels = 200

/**
 * JSON with the members of every object in one order: equal values give equal texts, different values different ones.
 * Members that are undefined are left out, as JSON does.
 * Undefined where there is no such text: nested deeper than 200 levels, more than 50,000 members of objects, or a value
 * that is not JSON (functions, bigints, Infinity, objects with `toJSON`).
 */
export function toCanonicalText(value: unknown): string | undefined {
  // Written by the engine from a copy with sorted members: four times as fast as writing each piece ourselves.
  const copy = new Sorter().sort(value, 0)
  return copy === refused ? undefined : JSON.stringify(copy)
}

/** SHA-256 of a text, in hex. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}

const refused = Symbol('refused')

class Sorter {
  #members = 0

  /** The value with sorted members, texts and numbers shared with the original. */
  sort(value: unknown, level: number): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        // JSON writes others as null, which they are not: JSON.parse gives Infinity for 1e999.
        return Number.isFinite(value) ? value : refused
      case 'object':
        return value === null ? null : this.#nested(value, level)
      default:
        return refused
    }
  }

  #nested(value: object, level: number): unknown {
    if (level === mostLevels) return refused
    if (Array.isArray(value)) return this.#array(value, level + 1)
    if ('toJSON' in value && typeof value.toJSON === 'function') return refused
    return this.#object(value, level + 1)
  }

  #array(list: readonly unknown[], level: number): unknown {
    const copy: unknown[] = []
    for (const item of list) {
      const inner = item === undefined ? null : this.sort(item, level)
      if (inner === refused) return refused
      copy.push(inner)
    }
    return copy
  }

  #object(object: object, level: number): unknown {
    const names = Object.keys(object)
    this.#members += names.length
    if (this.#members > mostMembers) return refused
    const copy: Record<string, unknown> = {}
    for (const name of names.sort()) {
      const value: unknown = Reflect.get(object, name)
      if (value === undefined) continue
      const inner = this.sort(value, level)
      if (inner === refused) return refused
      // An assignment to this name would change what the copy inherits.
      if (name === '__proto__') Object.defineProperty(copy, name, { value: inner, enumerable: true })
      else copy[name] = inner
    }
    return copy
  }
}
