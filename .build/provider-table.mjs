// Writes the table of providers between the markers of README.md: `node .build/provider-table.mjs`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runnerImport } from 'vite'

const start = '<!-- providers:start -->'
const end = '<!-- providers:end -->'
const columns = ['chat', 'stream', 'completions', 'embeddings', 'images']

/** The table in Markdown: one line per provider, sorted by name, active ones before retired ones. */
export function renderProviderTable(providers) {
  const isRetired = ({ status }) => Number(status === 'retired')
  const byName = (a, b) =>
    isRetired(a) - isRetired(b) || a.displayName.localeCompare(b.displayName, 'en', { sensitivity: 'base' })
  const lines = [...providers].sort(byName).map(toLine)
  const head = ['Provider (prefix)', ...columns, 'status', 'key from', 'base URL from']
  const rule = `|---|${columns.map(() => ':-:|').join('')}---|---|---|`
  return [`| ${head.join(' | ')} |`, rule, ...lines, '', toNote(providers)].join('\n')
}

function toLine({ name, displayName, aliases, capabilities, status, apiKeyEnv, baseUrlEnv }) {
  const prefixes = [name, ...aliases].map((prefix) => `\`${prefix}/\``).join(' ')
  const marks = columns.map((column) => (capabilities[column] ? '✓' : ''))
  const cells = [`${displayName} (${prefixes})`, ...marks, status, quoted(apiKeyEnv), quoted(baseUrlEnv)]
  return `| ${cells.join(' | ')} |`
}

const quoted = (names) => names.map((name) => `\`${name}\``).join(' ')

/** The variables that are no key and no base URL: headers and regions. */
function toNote(providers) {
  const notes = providers.flatMap(({ displayName, headersEnv = {}, regional }) => {
    const names = [...Object.values(headersEnv).flat(), ...(regional?.regionEnv ?? [])]
    return names.length > 0 ? [`${displayName} ${quoted(names)}`] : []
  })
  return `Where several variables are named, the first that is set counts. Further ones, for headers and regions: ${notes.join(', ')}.`
}

/** The README with the table between its markers. @throws Error where it has none */
export function insertProviderTable(readme, table) {
  const from = readme.indexOf(start)
  const to = readme.indexOf(end)
  if (from === -1 || to < from) throw new Error(`README.md lacks the markers ${start} and ${end}.`)
  return `${readme.slice(0, from + start.length)}\n${table}\n${readme.slice(to)}`
}

async function main() {
  const registry = fileURLToPath(new URL('../src/providers/registry.ts', import.meta.url))
  const { module } = await runnerImport(registry, { configFile: false, logLevel: 'error' })
  const table = renderProviderTable(module.createRegistry([]).list())
  const path = new URL('../README.md', import.meta.url)
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (!readme.includes(start)) return void process.stdout.write(`${table}\n`)
  writeFileSync(path, insertProviderTable(readme, table))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
