import type { Quirks } from '../../protocols/openai/quirks.js'
import type { Protocol } from '../../protocols/protocol.js'
import type { Provider } from '../provider.js'
import { extraRows } from './extra.js'
import { namedRows } from './named.js'
import { openaiRow } from './openai.js'
import { plainRows } from './plain.js'
import { type Rows, toProvider } from './row.js'
import { seedRows } from './seed.js'
import { selfHostedRows } from './self-hosted.js'

/** Every provider that speaks OpenAI's dialect, OpenAI first. */
const rows: Rows = { ...openaiRow, ...seedRows, ...namedRows, ...extraRows, ...plainRows, ...selfHostedRows }

/** Makes the providers of all rows; `speak` gives OpenAI's dialect for a set of quirks. */
export function createOpenaiCompatibleProviders(speak: (quirks: Quirks) => Protocol): readonly Provider[] {
  return Object.entries(rows).map(([name, row]) => toProvider(name, row, speak))
}
