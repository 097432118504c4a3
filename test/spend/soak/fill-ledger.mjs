// Fills the ledger's tables with rows of many days, and their roll-ups as `append` would have made them.

/** Who calls: keys belong to users, users to teams, teams to organizations; some call much more than others. */
const [keys, users, teams, organizations, models, days] = [2_000, 500, 50, 5, 12, 90]
const begin = "date_trunc('day', now() at time zone 'utc')"

const draw = (rows) => `
CREATE UNLOGGED TABLE drawn AS
SELECT n, at_ms, to_char(to_timestamp(at_ms / 1000) at time zone 'utc', 'YYYY-MM-DD') AS day,
  at_ms / 3600000 * 3600000 AS hour_ms, 'org-' || key % ${organizations} AS organization, 'team-' || key % ${teams} AS team,
  'user-' || key % ${users} AS person, 'key-' || key AS key, 'model-' || model AS model, 'provider-' || model % 3 AS provider,
  'deployment-' || model AS deployment, tokens, tokens * 1250000::numeric AS cost, tokens * 1500000::numeric AS charged,
  n % 100 = 0 AS failed, n % 1000 <> 0 AS priced
FROM (
  SELECT n, key, (key + floor(random() * 2)::int) % ${models} AS model, 20 + floor(random() * 2000)::bigint AS tokens,
    (extract(epoch FROM ${begin}) * 1000)::bigint + 86400000 - 1 - floor(random() * ${days}::bigint * 86400000)::bigint AS at_ms
  FROM (SELECT n, floor(${keys} * power(random(), 2))::int AS key FROM generate_series(1, ${rows}) AS n) AS picked
) AS calls`

const scopes = ['organization', 'team', 'user', 'key', 'model', 'provider', 'deployment']
const columnOf = { user: 'person' }
const values = scopes.map((kind) => `('${kind}', d.${columnOf[kind] ?? kind})`).join(', ')

const ledger = (prefix) => `
INSERT INTO ${prefix}ledger (id, call_id, model_name, at_ms, operation, caller, deployment, provider, model, scopes_json, usage_json,
  tags_json, price_json, metadata_json, failure, end_user, cost, charged, priced, estimated, aborted, cached, billable, status, latency_ms, first_token_ms)
SELECT 'entry-' || n, 'call-' || n, model, at_ms, 'chat', key, deployment, provider, model,
  json_build_array(${scopes.map((kind) => `json_build_object('kind', '${kind}', 'id', ${columnOf[kind] ?? kind})`).join(', ')})::text,
  '{"inputUncached":' || tokens || ',"outputText":20}', '[]',
  '{"source":"table","lines":[{"bucket":"inputUncached","rate":"0.00000125"},{"bucket":"outputText","rate":"0.00001"}]}',
  NULL, CASE WHEN failed THEN 'upstream_error' END, NULL, cost, charged, priced::int, 0, 0, 0, 1, CASE WHEN failed THEN 500 ELSE 200 END, 800, 120
FROM drawn ORDER BY at_ms`

const scopeRows = (prefix) => `
INSERT INTO ${prefix}ledger_scopes (kind, scope, entry_id, at_ms, charged)
SELECT s.kind, s.scope, 'entry-' || d.n, d.at_ms, d.charged FROM drawn d CROSS JOIN LATERAL (VALUES ${values}) AS s (kind, scope)
UNION ALL SELECT 'mark', 'failed', 'entry-' || n, at_ms, charged FROM drawn WHERE failed
UNION ALL SELECT 'mark', 'unpriced', 'entry-' || n, at_ms, charged FROM drawn WHERE NOT priced`

const sums = `SUM(charged) AS charged, SUM(cost) AS cost, COUNT(*) AS calls, COUNT(*) FILTER (WHERE failed) AS failures,
  SUM(tokens) AS input_tokens, 20 * COUNT(*) AS output_tokens, 0 AS cache_read_tokens`
const sumNames = 'charged, cost, calls, failures, input_tokens, output_tokens, cache_read_tokens'

const hours = (prefix) => `
INSERT INTO ${prefix}spend_hours (kind, scope, hour_ms, charged)
SELECT s.kind, s.scope, hour_ms, SUM(charged) FROM drawn d CROSS JOIN LATERAL (VALUES ${values}) AS s (kind, scope)
GROUP BY 1, 2, 3 ORDER BY 3`

const modelHours = (prefix) => `
INSERT INTO ${prefix}spend_model_hours (kind, scope, models, hour_ms, models_json, charged)
SELECT s.kind, s.scope, '["' || model || '"]', hour_ms, '["' || model || '"]', SUM(charged)
FROM drawn d CROSS JOIN LATERAL (VALUES ${values}) AS s (kind, scope) GROUP BY 1, 2, 3, 4 ORDER BY 4`

const daysOf = (prefix, period, { kind, column }) => `
INSERT INTO ${prefix}spend_days (kind, scope, day, model, provider, ${sumNames})
SELECT '${kind}', ${column}, ${period}, model, provider, ${sums} FROM drawn GROUP BY 2, 3, 4, 5 ORDER BY 3`

// The id is the digest that the adapter makes: SHA-256 of the names as UTF-16.
const callers = ['day', 'organization', 'team', 'person', 'key', 'model', 'provider']
const joined = `'["' || concat_ws('","', ${callers.join(', ')}) || '"]'`
const wide = `decode(regexp_replace(encode(convert_to(${joined}, 'UTF8'), 'hex'), '(..)', '\\100', 'g'), 'hex')`
const callerDays = (prefix, period) => `
INSERT INTO ${prefix}spend_caller_days (id, day, organization_id, team_id, user_id, key_id, model, provider, ${sumNames})
SELECT encode(sha256(${wide}), 'hex'), day, organization, team, person, key, model, provider, ${sumNames}
FROM (SELECT ${[`${period} AS day`, ...callers.slice(1)].join(', ')}, ${sums} FROM drawn GROUP BY 1, 2, 3, 4, 5, 6, 7) AS summed
ORDER BY day`

// As the adapter names them: days, and weeks by their Monday.
const periods = ['day', `'week ' || to_char(date_trunc('week', day::date), 'YYYY-MM-DD')`]

const filled = ['ledger', 'ledger_scopes', 'spend_hours', 'spend_model_hours', 'spend_days', 'spend_caller_days']

/** Fills the migrated tables of a prefix in the connection's schema; `run` runs one statement on one connection. */
export async function fillLedger(run, prefix, rows, say = () => {}) {
  const step = async (name, sql) => {
    const from = performance.now()
    await run(sql)
    say(`  ${name}: ${((performance.now() - from) / 1_000).toFixed(1)} s`)
  }
  await run("SET maintenance_work_mem = '512MB'")
  await run("SET work_mem = '256MB'")
  await run('SET synchronous_commit = off')
  await run('SELECT setseed(0.5)')
  await step('drawn', draw(rows))
  const keysOfTables = await run(`
    SELECT c.conrelid::regclass::text AS on_table, c.conname AS name, pg_get_constraintdef(c.oid) AS definition FROM pg_constraint c
    WHERE c.contype = 'p' AND c.conrelid IN ('${prefix}ledger'::regclass, '${prefix}ledger_scopes'::regclass)`)
  const indexes = await run(`
    SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = '${prefix}ledger' AND indexname LIKE '%_index'`)
  for (const { name } of indexes) await run(`DROP INDEX ${name}`)
  for (const { on_table, name } of keysOfTables) await run(`ALTER TABLE ${on_table} DROP CONSTRAINT ${name}`)
  await step('ledger', ledger(prefix))
  await step('scopes', scopeRows(prefix))
  for (const { on_table, name, definition } of keysOfTables) {
    await step(`key of ${on_table}`, `ALTER TABLE ${on_table} ADD CONSTRAINT ${name} ${definition}`)
  }
  for (const { name, definition } of indexes) await step(name, definition)
  await step('hours', hours(prefix))
  await step('hours of models', modelHours(prefix))
  for (const period of periods) {
    await step('days', daysOf(prefix, period, { kind: 'all', column: "''" }))
    for (const kind of ['organization', 'team', 'user', 'key', 'deployment']) {
      await run(daysOf(prefix, period, { kind, column: columnOf[kind] ?? kind }))
    }
    await step('days of callers', callerDays(prefix, period))
  }
  await run('DROP TABLE drawn')
  await step('statistics', `ANALYZE ${filled.map((table) => prefix + table).join(', ')}`)
}
