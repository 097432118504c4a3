import { type Column, type Dialect, type Table, storedColumns } from './dialect.js'

/** A table with what only its creation needs; `unique` and `indexes` by their names. */
export interface TableDefinition extends Table {
  readonly unique?: Readonly<Record<string, readonly string[]>>
  readonly indexes?: Readonly<Record<string, readonly string[]>>
}

/** A table of roll-ups, and the columns that add up. */
export interface SumsDefinition extends TableDefinition {
  readonly sums: readonly string[]
}

/** Every table by what it holds, under the host's prefix. */
export interface Tables {
  readonly migrations: TableDefinition
  readonly ledger: TableDefinition
  /** One row per entry and scope: finds a scope's entries, and sums parts of hours. */
  readonly ledgerScopes: TableDefinition
  readonly hours: SumsDefinition
  /** Hours once more, by the models of their entries: a budget of one model adds up its own. */
  readonly modelHours: SumsDefinition
  readonly days: SumsDefinition
  readonly callerDays: SumsDefinition
  /** Events that the host's billing has not been told. */
  readonly usageEvents: TableDefinition
  readonly records: TableDefinition
  readonly counters: TableDefinition
  /** What reservations took of counters; `part` 1 is what a rate was found to need beyond its hold. */
  readonly holds: TableDefinition
  readonly reservations: TableDefinition
  readonly calls: TableDefinition
  /** One row per call and whatever it is found by. */
  readonly callMarks: TableDefinition
}

const columns = (type: Column['type'], ...names: readonly string[]): Column[] => names.map((name) => ({ name, type }))
const nullable = (type: Column['type'], ...names: readonly string[]): Column[] =>
  names.map((name) => ({ name, type, nullable: true }))

const counts = ['calls', 'failures', 'input_tokens', 'output_tokens', 'cache_read_tokens']
const sums = ['charged', 'cost', ...counts]
const sumColumns = [...columns('money', 'charged', 'cost'), ...columns('integer', ...counts)]

/**
 * The tables under a prefix such as `sluice_` or `billing.sluice_`.
 * @throws TypeError for a prefix that is not made of letters, digits and underscores
 */
export function tablesOf(prefix: string): Tables {
  if (!/^(?:[a-z_]\w{0,62}\.)?[a-z_]\w{0,23}$/i.test(prefix)) {
    throw new TypeError(`The table prefix must be letters, digits and underscores, got "${prefix}".`)
  }
  return {
    migrations: {
      name: `${prefix}migrations`,
      columns: columns('integer', 'version', 'applied_at'),
      key: ['version'],
    },
    ...ledgerTables(prefix),
    ...rollUpTables(prefix),
    ...counterTables(prefix),
    ...callTables(prefix),
    records: {
      name: `${prefix}records`,
      columns: [
        ...columns('word', 'kind'),
        ...columns('key', 'id'),
        ...columns('integer', 'version', 'created_at', 'updated_at'),
        ...nullable('key', 'alias', 'unique_alias', 'user_id', 'team_id', 'organization_id'),
        ...columns('flag', 'alias_is_unique'),
        ...columns('text', 'data_json'),
      ],
      key: ['kind', 'id'],
      unique: { alias: ['kind', 'unique_alias'] },
      indexes: {
        time: ['kind', 'created_at', 'id'],
        name: ['kind', 'alias', 'created_at'],
        user: ['kind', 'user_id', 'created_at'],
        team: ['kind', 'team_id', 'created_at'],
        organization: ['kind', 'organization_id', 'created_at'],
      },
    },
  }
}

function ledgerTables(prefix: string): Pick<Tables, 'ledger' | 'ledgerScopes' | 'usageEvents'> {
  return {
    ledger: {
      name: `${prefix}ledger`,
      columns: [
        ...columns('key', 'id', 'call_id', 'model_name'),
        ...columns('integer', 'at_ms'),
        ...columns('text', 'operation', 'caller', 'deployment', 'provider', 'model'),
        ...columns('text', 'scopes_json', 'usage_json', 'tags_json'),
        ...nullable('text', 'price_json', 'metadata_json', 'failure', 'end_user'),
        ...columns('money', 'cost', 'charged'),
        ...columns('flag', 'priced', 'estimated', 'aborted', 'cached', 'billable'),
        ...columns('integer', 'status'),
        ...columns('number', 'latency_ms'),
        ...nullable('number', 'first_token_ms'),
      ],
      key: ['id'],
      indexes: { time: ['at_ms', 'id'], call: ['call_id'], model: ['model_name', 'at_ms', 'id'] },
    },
    ledgerScopes: {
      name: `${prefix}ledger_scopes`,
      columns: [
        ...columns('word', 'kind'),
        ...columns('key', 'scope', 'entry_id'),
        ...columns('integer', 'at_ms'),
        ...columns('money', 'charged'),
      ],
      key: ['kind', 'scope', 'at_ms', 'entry_id'],
    },
    usageEvents: {
      name: `${prefix}usage_events`,
      columns: [
        ...columns('key', 'id'),
        // Somebody who tells it has it until then.
        ...columns('integer', 'due_ms'),
        ...columns('text', 'event_json'),
      ],
      key: ['id'],
      indexes: { due: ['due_ms', 'id'] },
    },
  }
}

function rollUpTables(prefix: string): Pick<Tables, 'hours' | 'modelHours' | 'days' | 'callerDays'> {
  return {
    hours: {
      name: `${prefix}spend_hours`,
      columns: [
        ...columns('word', 'kind'),
        ...columns('key', 'scope'),
        ...columns('integer', 'hour_ms'),
        ...columns('money', 'charged'),
      ],
      key: ['kind', 'scope', 'hour_ms'],
      sums: ['charged'],
    },
    modelHours: {
      name: `${prefix}spend_model_hours`,
      columns: [
        ...columns('word', 'kind'),
        ...columns('key', 'scope', 'models'),
        ...columns('integer', 'hour_ms'),
        // `models` may be cut to fit an index; these are whole.
        ...columns('text', 'models_json'),
        ...columns('money', 'charged'),
      ],
      key: ['kind', 'scope', 'hour_ms', 'models'],
      sums: ['charged'],
    },
    days: {
      name: `${prefix}spend_days`,
      columns: [...columns('word', 'kind', 'day'), ...columns('key', 'scope', 'model', 'provider'), ...sumColumns],
      key: ['kind', 'scope', 'day', 'model', 'provider'],
      indexes: { day: ['kind', 'day'] },
      sums,
    },
    callerDays: {
      name: `${prefix}spend_caller_days`,
      columns: [
        // Digest of the seven columns that name the row: together they are longer than an index may be.
        ...columns('key', 'id'),
        ...columns('word', 'day'),
        ...columns('key', 'organization_id', 'team_id', 'user_id', 'key_id', 'model', 'provider'),
        ...sumColumns,
      ],
      key: ['id'],
      indexes: {
        day: ['day'],
        organization: ['organization_id', 'day'],
        team: ['team_id', 'day'],
        user: ['user_id', 'day'],
        key: ['key_id', 'day'],
      },
      sums,
    },
  }
}

function counterTables(prefix: string): Pick<Tables, 'counters' | 'holds' | 'reservations'> {
  return {
    counters: {
      name: `${prefix}counters`,
      columns: [
        ...columns('key', 'id'),
        ...columns('word', 'kind'),
        ...columns('integer', 'ledger_spent', 'settled'),
        ...nullable('integer', 'seeded_until', 'ends_at'),
      ],
      key: ['id'],
    },
    holds: {
      name: `${prefix}holds`,
      columns: [
        ...columns('key', 'counter_id', 'reservation_id'),
        ...columns('flag', 'part'),
        ...columns('word', 'kind'),
        ...columns('integer', 'amount', 'expires_at'),
      ],
      key: ['counter_id', 'reservation_id', 'part'],
      indexes: {
        counter: ['counter_id', 'expires_at', 'amount'],
        reservation: ['reservation_id'],
        expiry: ['expires_at'],
      },
    },
    reservations: {
      name: `${prefix}reservations`,
      columns: [
        ...columns('key', 'id'),
        ...columns('integer', 'expires_at', 'forget_at'),
        ...columns('flag', 'ended'),
        ...columns('text', 'used_json'),
      ],
      key: ['id'],
      indexes: { expiry: ['forget_at'] },
    },
  }
}

function callTables(prefix: string): Pick<Tables, 'calls' | 'callMarks'> {
  return {
    calls: {
      name: `${prefix}calls`,
      columns: [
        ...columns('key', 'id', 'call_id', 'outcome'),
        ...columns('integer', 'ended_ms'),
        ...columns('flag', 'failed'),
        ...columns('text', 'record_json'),
        ...nullable('text', 'bodies_json'),
      ],
      key: ['id'],
      indexes: { time: ['ended_ms', 'id'], call: ['call_id'] },
    },
    callMarks: {
      name: `${prefix}call_marks`,
      columns: [
        ...columns('word', 'kind'),
        ...columns('key', 'mark'),
        ...columns('integer', 'ended_ms'),
        ...columns('key', 'record_id'),
      ],
      key: ['kind', 'mark', 'ended_ms', 'record_id'],
    },
  }
}

/** The statements that create a table and its indexes, where they are not there yet. */
export function createTable(dialect: Dialect, table: TableDefinition): readonly string[] {
  const named = (sort: string, name: string): string => `${table.name.replace(/^.*\./, '')}_${name}_${sort}`
  const lines = [
    ...storedColumns(dialect, table.columns).map(
      ({ name, type, nullable: mayBeNull }) => `${name} ${dialect.types[type]} ${mayBeNull ? 'NULL' : 'NOT NULL'}`,
    ),
    `PRIMARY KEY (${table.key.join(', ')})`,
    ...Object.entries(table.unique ?? {}).map(
      ([name, keys]) => `CONSTRAINT ${named('unique', name)} UNIQUE (${keys.join(', ')})`,
    ),
  ]
  const indexes = Object.entries(table.indexes ?? {})
  // MySQL cannot create an index only where it is missing, but does so within a table.
  const within = dialect.name === 'mysql'
  const inTable = within ? indexes.map(([name, keys]) => `INDEX ${named('index', name)} (${keys.join(', ')})`) : []
  const create = `CREATE TABLE IF NOT EXISTS ${table.name} (\n  ${[...lines, ...inTable].join(',\n  ')}\n)${dialect.tableOptions}`
  if (within) return [create]
  return [
    create,
    ...indexes.map(([name, keys]) => {
      return `CREATE INDEX IF NOT EXISTS ${named('index', name)} ON ${table.name} (${keys.join(', ')})`
    }),
  ]
}

/**
 * PostgreSQL takes the columns for independent, expects many more groups than there are, and sorts on disk where a table
 * in memory is enough: it is told to count their combinations.
 */
export function groupStatistics(dialect: Dialect, { days, callerDays }: Tables): readonly string[] {
  if (dialect.name !== 'postgres') return []
  return [
    { table: days.name, of: ['kind', 'scope', 'model', 'provider'] },
    { table: callerDays.name, of: ['organization_id', 'team_id', 'user_id', 'key_id', 'model', 'provider'] },
  ].map(
    ({ table, of }) => `CREATE STATISTICS IF NOT EXISTS ${table}_groups (ndistinct) ON ${of.join(', ')} FROM ${table}`,
  )
}
