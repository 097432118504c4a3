import type { DatabaseSettings } from '../../src/index.js'

/** A start that failed for a reason the user can mend; printed without a stack, exit code 1. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

const reasons: Readonly<Record<string, string | undefined>> = {
  EADDRINUSE: 'is already in use; choose another one with --port',
  EACCES: 'may not be used by this user; choose a port above 1023 with --port',
  EADDRNOTAVAIL: 'is not an address of this machine; choose another one with --host',
  ENOTFOUND: 'is not a known host; choose another one with --host',
  EAI_AGAIN: 'cannot be looked up now; choose another one with --host',
}

/** Explains why a server cannot listen. */
export function toListenError(error: NodeJS.ErrnoException, place: string): StartError {
  return new StartError(
    `${place} ${reasons[error.code ?? ''] ?? `cannot be listened on (${error.code ?? error.message})`}`,
  )
}

/** Explains why a file cannot be read. */
export function toReadError(error: unknown, fileName: string): StartError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : String(code)
  return new StartError(`cannot read ${fileName}: ${reason}`)
}

const databaseReasons: Readonly<Record<string, string | undefined>> = {
  ECONNREFUSED: 'does not accept connections',
  ENOTFOUND: 'is on a host that is not known',
  EAI_AGAIN: 'is on a host that cannot be looked up now',
  ETIMEDOUT: 'does not answer',
  '28P01': 'does not accept the user or the password',
  '28000': 'does not accept the user',
  '3D000': 'does not exist on that server',
  '42501': 'does not let this user create tables',
  ER_ACCESS_DENIED_ERROR: 'does not accept the user or the password',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'does not accept the user or the password',
  ER_DBACCESS_DENIED_ERROR: 'does not let this user in',
  ER_BAD_DB_ERROR: 'does not exist on that server',
  SQLITE_CANTOPEN: 'cannot be opened',
  SQLITE_NOTADB: 'is not a file of SQLite',
}

/** Explains why a database cannot be used; names where it is, never who may use it. */
export function toDatabaseError(error: unknown, { kind, url }: DatabaseSettings): StartError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  const reason = databaseReasons[code ?? ''] ?? `cannot be used (${code ?? withoutCredentials(error, url)})`
  return new StartError(`general_settings.database_url: the ${kind} database ${placeOf(kind, url)} ${reason}`, {
    cause: error,
  })
}

function placeOf(kind: DatabaseSettings['kind'], url: string): string {
  if (kind === 'sqlite') return url
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

function withoutCredentials(error: unknown, url: string): string {
  const text = error instanceof Error ? error.message : String(error)
  const credentials = URL.canParse(url) ? [new URL(url).password, decodeURIComponent(new URL(url).password)] : []
  return [url, ...credentials].filter(Boolean).reduce((left, secret) => left.replaceAll(secret, '…'), text)
}
