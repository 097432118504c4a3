import type { Environment } from '../providers/environment.js'
import { toMilliseconds } from './models.js'
import type { ConfigFile } from './schemas.js'

/** How to reach a Redis that a file names; the stand-alone server connects to it. */
export interface RedisSettings {
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly db?: number
  /** Encrypted, with the system's authorities; an address with `rediss:` is anyway. */
  readonly tls?: boolean
}

/** How to reach the database that a file names; the stand-alone server connects to it. */
export interface DatabaseSettings {
  readonly kind: 'postgres' | 'mysql' | 'sqlite'
  /** An address with its credentials; of SQLite the path of a file, or `:memory:`. */
  readonly url: string
  /** Connections at once. */
  readonly poolSize?: number
  readonly connectTimeoutMs?: number
}

/** The words for a Redis, as `cache_params` has them. */
export interface RedisWords {
  readonly url?: string | undefined
  readonly redis_url?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly db?: number | undefined
  readonly ssl?: boolean | undefined
}

type RouterSettings = NonNullable<ConfigFile['router_settings']>
type GeneralSettings = NonNullable<ConfigFile['general_settings']>

/** The Redis of `router_settings`; undefined where none is named. */
export function redisOfRouter(router: RouterSettings = {}): RedisSettings | undefined {
  return toRedisSettings({
    url: router.redis_url,
    host: router.redis_host,
    port: router.redis_port,
    username: router.redis_username,
    password: router.redis_password,
    db: router.redis_db,
  })
}

/** The Redis of the variables that LiteLLM reads: `REDIS_URL`, or `REDIS_HOST` and its companions. */
export function redisOfEnvironment(env: Environment): RedisSettings | undefined {
  const read = (name: string): string | undefined => (Object.hasOwn(env, name) && env[name]) || undefined
  const port = Number(read('REDIS_PORT'))
  return toRedisSettings({
    url: read('REDIS_URL'),
    host: read('REDIS_HOST'),
    port: Number.isInteger(port) ? port : undefined,
    username: read('REDIS_USERNAME'),
    password: read('REDIS_PASSWORD'),
    ssl: read('REDIS_SSL')?.toLowerCase() === 'true' || undefined,
  })
}

/** Undefined where no address is named. */
export function toRedisSettings(words: RedisWords): RedisSettings | undefined {
  const { host, port, username, password, db, ssl: tls } = words
  const url = words.url ?? words.redis_url
  if (url === undefined && host === undefined) return undefined
  const said = Object.entries({ url, host, port, username, password, db, tls })
  return Object.fromEntries(said.filter(([, value]) => value !== undefined))
}

const sqliteAddress = /^(?:sqlite|file):(?:\/\/)?([^?]+)/
const serverAddress = /^(postgres|postgresql|mysql|mariadb):\/\/./

/** True for an address of a database of a kind that is supported. */
export function isDatabaseUrl(url: string): boolean {
  return sqliteAddress.test(url) || (serverAddress.test(url) && URL.canParse(url))
}

/** The database of `general_settings`; undefined where none is named. */
export function toDatabaseSettings(general: GeneralSettings = {}): DatabaseSettings | undefined {
  const { database_url: url, database_connection_pool_limit: poolSize, database_connection_timeout: seconds } = general
  if (url === undefined) return undefined
  const path = sqliteAddress.exec(url)?.[1]
  if (path !== undefined) return { kind: 'sqlite', url: path }
  return {
    kind: url.startsWith('postgres') ? 'postgres' : 'mysql',
    // The driver knows one name for both.
    url: url.replace(/^mariadb:/, 'mysql:'),
    ...(poolSize !== undefined && { poolSize }),
    ...(seconds !== undefined && { connectTimeoutMs: toMilliseconds(seconds) }),
  }
}
