import { ConfigError } from './config-error.js'

/**
 * Parses the text of a config.yaml; JSON is YAML too. Loads the optional package `yaml` when it is called.
 * @throws ConfigError with line and column where the text is not YAML, or when the package is not installed
 */
export async function parseConfigText(text: string, fileName: string): Promise<unknown> {
  if (fileName.endsWith('.json')) return parseJsonText(text, fileName)
  const { LineCounter, parseDocument } = await loadYaml()
  const lines = new LineCounter()
  // Messages of the pretty kind quote the file, which may hold keys.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0])
        return `${fileName}:${line}:${col}: ${withoutQuotes(error.message)}`
      }),
    )
  }
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    throw new ConfigError([`${fileName}: an alias (*name) points nowhere, or aliases unfold to too much`])
  }
}

async function loadYaml(): Promise<typeof import('yaml')> {
  try {
    return await import('yaml')
  } catch (cause) {
    throw new ConfigError(
      ['reading a YAML file needs the package yaml, which is not installed: npm install yaml (or use a .json file)'],
      cause,
    )
  }
}

function parseJsonText(text: string, fileName: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const before = position === undefined ? [] : text.slice(0, Number(position)).split('\n')
    const place = before.length > 0 ? `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}` : ''
    throw new ConfigError([`${fileName}${place}: is not valid JSON`])
  }
}

// What stands after a colon or in quotes is text of the file.
function withoutQuotes(message: string): string {
  return message
    .split('\n', 1)
    .join('')
    .replace(/: .*$/, '')
    .replace(/["'`].*["'`]/, '…')
}
