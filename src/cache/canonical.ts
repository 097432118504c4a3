import { hash } from 'node:crypto'

// Sorting members is the one step that is not linear, so there is a bound to how many are sorted; and recursion needs
// one too. No real request comes near either.
const mostMembers = 50_000
const mostLevels = 200

/**
 * A text of a JSON value with the members of every object in one order: equal values give equal texts, different values
 * different ones. Members that are undefined are left out, as JSON does.
 * Undefined where there is no such text: nested deeper than 200 levels, more than 50,000 members of objects, or a value
 * that is not JSON (functions, bigints, objects with `toJSON`).
 */
export function toCanonicalText(value: unknown): string | undefined {
  const writer = new CanonicalWriter()
  return writer.write(value, 0) ? writer.text : undefined
}

/** SHA-256 of a text, in hex. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}

class CanonicalWriter {
  text = ''
  #members = 0

  /** False, for good, where the value has no canonical text. */
  write(value: unknown, level: number): boolean {
    switch (typeof value) {
      case 'string':
        this.text += JSON.stringify(value)
        return true
      case 'number':
      case 'boolean':
        // Unlike JSON.stringify this keeps Infinity, which JSON.parse gives for 1e999, apart from null.
        this.text += String(value)
        return true
      case 'object':
        return value === null ? this.#null() : this.#nested(value, level)
      default:
        return false
    }
  }

  #null(): boolean {
    this.text += 'null'
    return true
  }

  #nested(value: object, level: number): boolean {
    if (level === mostLevels) return false
    if (Array.isArray(value)) return this.#array(value, level + 1)
    if ('toJSON' in value && typeof value.toJSON === 'function') return false
    return this.#object(value, level + 1)
  }

  #array(list: readonly unknown[], level: number): boolean {
    this.text += '['
    for (const item of list) {
      if (!(item === undefined ? this.#null() : this.write(item, level))) return false
      this.text += ','
    }
    this.text += ']'
    return true
  }

  #object(object: object, level: number): boolean {
    const names = Object.keys(object)
    this.#members += names.length
    if (this.#members > mostMembers) return false
    this.text += '{'
    for (const name of names.toSorted()) {
      const value: unknown = Reflect.get(object, name)
      if (value === undefined) continue
      this.text += `${JSON.stringify(name)}:`
      if (!this.write(value, level)) return false
      this.text += ','
    }
    this.text += '}'
    return true
  }
}
