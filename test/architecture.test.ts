import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname

/** Lower levels never import higher ones; places on one level never import each other. */
const levels: readonly (readonly string[])[] = [
  ['src/secret', 'src/errors', 'src/version'],
  ['src/wire'],
  ['src/http/message'],
  ['src/deployment'],
  ['src/ports'],
  ['src/clock', 'src/late-operations', 'src/http', 'src/upstream', 'src/catalog'],
  [
    'src/protocols',
    'src/router',
    'src/stores',
    'src/keys',
    'src/limits',
    'src/spend',
    'src/cache',
    'src/guardrails',
    'src/prompts',
    'src/callbacks',
  ],
  ['src/providers'],
  ['src/call'],
  ['src/endpoints', 'src/ui', 'src/testing', 'src/config', 'src/master-key', 'src/events'],
  ['src/options'],
  ['src/gateway'],
  ['src/index'],
  ['adapters'],
]

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

const sources = [...filesBelow('src'), ...filesBelow('adapters')]
const text = new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]))

const imports: readonly Import[] = sources.flatMap((file) =>
  [...(text.get(file) ?? '').matchAll(/^(?:import|export)\s([^'"]*?)from '([^']+)'/gms)].map((match) => ({
    from: file,
    to: match[2]?.startsWith('.') ? join(dirname(file), match[2]).replace(/\.js$/, '.ts') : (match[2] ?? ''),
    typeOnly: (match[1] ?? '').startsWith('type '),
  })),
)

function placeOf(file: string): { place: string; level: number } | undefined {
  const matching = levels
    .flatMap((places, level) => places.map((place) => ({ place, level })))
    .filter(({ place }) => file === `${place}.ts` || file.startsWith(`${place}/`))
    .toSorted((a, b) => b.place.length - a.place.length)
  return matching[0]
}

const local = imports.filter((entry) => entry.to.endsWith('.ts'))

describe('the architecture', () => {
  it('finds the files and their imports at all', () => {
    expect(sources.length).toBeGreaterThan(40)
    expect(local.length).toBeGreaterThan(100)
  })

  it('knows the level of every file', () => {
    expect(sources.filter((file) => placeOf(file) === undefined)).toEqual([])
  })

  it('lets lower levels import no higher ones, and places on one level not each other', () => {
    const wrong = local.filter(({ from, to }) => {
      const [source, target] = [placeOf(from), placeOf(to)]
      if (!source || !target) return true
      if (source.place === target.place) return false
      if (source.place === 'adapters') return target.place !== 'src/index'
      return target.level >= source.level
    })
    // The stand-alone demo runs on the fake provider, which hosts get as an entry of its own.
    const allowed = wrong.filter(({ from, to }) => !(from.startsWith('adapters/cli') && to === 'src/testing/index.ts'))
    expect(allowed.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  it('keeps the dialects apart: what they share lies beside them', () => {
    const dialectOf = (file: string): string | undefined => /^src\/protocols\/([^/]+)\//.exec(file)?.[1]
    const wrong = local.filter(({ from, to }) => {
      const [source, target] = [dialectOf(from), dialectOf(to)]
      return target !== undefined && from.startsWith('src/protocols/') && source !== target
    })
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  it('has no import cycles', () => {
    const next = groupBy(local.filter((entry) => !entry.typeOnly))
    const cycles: string[] = []
    const state = new Map<string, 'open' | 'done'>()
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
        return
      }
      state.set(file, 'open')
      for (const { to } of next.get(file) ?? []) visit(to, [...path, file])
      state.set(file, 'done')
    }
    for (const file of sources) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('lets only src/upstream import undici, and nobody a framework or driver', () => {
    const outside = imports.filter((entry) => !entry.to.endsWith('.ts'))
    const undici = outside.filter(({ from, to }) => to === 'undici' && !from.startsWith('src/upstream/'))
    const frameworks = outside.filter(({ to }) => /^(express|koa|ioredis|pg|mysql2)(\/|$)/.test(to))
    expect([...undici, ...frameworks].map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  it('names providers only in src/providers and in the catalog', () => {
    const compared =
      /(?:===|!==|case)\s*'(?:openai|anthropic|gemini|azure|groq|mistral|deepseek|openrouter|xai|vertex_ai|bedrock)'/
    const wrong = sources.filter(
      (file) => !/^src\/(providers|catalog|testing)\//.test(file) && compared.test(text.get(file) ?? ''),
    )
    expect(wrong).toEqual([])
  })

  it('exports no defaults', () => {
    expect(sources.filter((file) => /^export default/m.test(text.get(file) ?? ''))).toEqual([])
  })

  it('keeps no state in modules that two gateways would share', () => {
    const wrong = sources.filter((file) => /^(?:export )?let /m.test(text.get(file) ?? ''))
    expect(wrong).toEqual([])
  })
})

function groupBy(entries: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>()
  for (const entry of entries) groups.set(entry.from, [...(groups.get(entry.from) ?? []), entry])
  return groups
}
