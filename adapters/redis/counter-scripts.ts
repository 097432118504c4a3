import { defineScript } from './client.js'

// Every counter is a sorted set of what is held or taken: member `amount:id`, score the moment it ends or leaves, so that
// whoever comes next sweeps what a dead process left. Its sum lies beside its parts, as the member `=` with a negative
// score: neither can expire or be evicted without the other. A budget has a hash besides, `ledger settled until`, and
// while it is split `split after`.
const common = `
local at = 1
local function key() at = at + 1; return KEYS[at] end
local given = 0
local function arg() given = given + 1; return ARGV[given] end
local function number() return tonumber(arg()) end
-- Numbers go to clients as text: some of them round large integers.
local function int(value) return string.format('%.0f', value) end
local function time()
  local parts = redis.call('TIME')
  return tonumber(parts[1]) * 1000 + math.floor(tonumber(parts[2]) / 1000)
end
local function sum(entries) return 0 - (tonumber(redis.call('ZSCORE', entries, '=')) or 0) end
local function add(entries, amount) redis.call('ZINCRBY', entries, int(-amount), '=') end
local function amountOf(member) return tonumber(string.match(member, '^%d+')) end
local function sweep(entries, now)
  local gone = redis.call('ZRANGEBYSCORE', entries, 1, int(now))
  if #gone == 0 then return end
  local freed = 0
  for _, member in ipairs(gone) do freed = freed + amountOf(member) end
  redis.call('ZREMRANGEBYSCORE', entries, 1, int(now))
  add(entries, -freed)
end
local function keep(name, lifeMs)
  if redis.call('PTTL', name) < lifeMs then redis.call('PEXPIRE', name, int(lifeMs)) end
end
local function put(entries, amount, member, now, lifeMs)
  redis.call('ZADD', entries, int(now + lifeMs), member)
  add(entries, amount)
  keep(entries, lifeMs)
end
local hour, quarter = 3600000, 7776000000
-- A budget without end is forgotten after 90 days without use, and seeded again when it is next needed.
local function keepAccount(account, endsAt, now)
  if endsAt < 0 then keep(account, quarter) else keep(account, math.max(0, endsAt - now) + hour) end
end
local function spentOf(account)
  local parts = redis.call('HMGET', account, 'ledger', 'settled')
  return (tonumber(parts[1]) or 0) + (tonumber(parts[2]) or 0)
end
`

/**
 * KEYS: the reservation, then per hold its entries and, of budgets, its account. ARGV: id, ttl, number of holds, per hold
 * kind, amount, limit (-1: none), and its window's length or end (-1: none).
 */
export const reserveScript = defineScript(`${common}
local known = redis.call('GET', KEYS[1])
if known and known ~= 'ended' then return {'granted', known} end
local id, ttl, count = arg(), number(), number()
local now = time()
local holds, missing = {}, {'missing'}
for i = 1, count do
  local hold = { kind = arg(), amount = number(), limit = number(), span = number(), entries = key() }
  holds[i] = hold
  sweep(hold.entries, now)
  hold.used = sum(hold.entries)
  if hold.kind == 'budget' then
    hold.account = key()
    if redis.call('HEXISTS', hold.account, 'until') == 0 then missing[#missing + 1] = i - 1 end
    hold.used = hold.used + spentOf(hold.account)
  end
end
if #missing > 1 then return missing end

local never = math.huge
local function waitFor(hold)
  if hold.amount > hold.limit then return never end
  if hold.kind == 'lease' then return 0 end
  if hold.kind == 'budget' then return hold.span < 0 and never or math.max(0, hold.span - now) end
  local freed, offset, excess = 0, 0, hold.used + hold.amount - hold.limit
  while true do
    local page = redis.call('ZRANGEBYSCORE', hold.entries, 1, '+inf', 'WITHSCORES', 'LIMIT', offset, 100)
    for i = 1, #page, 2 do
      freed = freed + amountOf(page[i])
      if freed >= excess then return tonumber(page[i + 1]) - now end
    end
    if #page < 200 then return 0 end
    offset = offset + 100
  end
end
local worst, longest
for i, hold in ipairs(holds) do
  if hold.limit >= 0 and hold.used + hold.amount > hold.limit then
    local wait = waitFor(hold)
    if not longest or wait > longest then worst, longest = i, wait end
  end
end
if worst then
  local known = longest < never and holds[worst].kind ~= 'lease'
  return {'refused', worst - 1, int(holds[worst].used), known and longest or -1}
end

local used = {}
for i, hold in ipairs(holds) do
  put(hold.entries, hold.amount, int(hold.amount) .. ':' .. id, now, hold.kind == 'rate' and hold.span or ttl)
  if hold.account then keepAccount(hold.account, hold.span, now) end
  used[i] = int(hold.used + hold.amount)
end
redis.call('SET', KEYS[1], table.concat(used, ','), 'PX', int(ttl))
return {'granted', table.concat(used, ',')}
`)

/**
 * KEYS as of reserve. ARGV: id, date of the ledger's row (-1: released), for how long the end is remembered, number of
 * holds, per hold kind, amount, actual amount, and its window's length or end. Gives what each budget has spent, -1 where
 * it was not counted.
 */
export const endScript = defineScript(`${common}
if redis.call('GET', KEYS[1]) == 'ended' then return {} end
local id, date, remember, count = arg(), number(), number(), number()
local now = time()
redis.call('SET', KEYS[1], 'ended', 'PX', int(remember))

local function drop(entries, amount)
  if redis.call('ZREM', entries, int(amount) .. ':' .. id) == 1 then add(entries, -amount) end
end
local function spend(account, actual)
  local parts = redis.call('HMGET', account, 'until', 'split')
  local since, split = tonumber(parts[1]), tonumber(parts[2])
  if date < 0 or not since or date < since then return -1 end
  redis.call('HINCRBY', account, 'settled', int(actual))
  if split and date >= split then redis.call('HINCRBY', account, 'after', int(actual)) end
  return int(spentOf(account))
end
local function trueUp(entries, amount, actual, windowMs)
  local leaves = actual < amount and redis.call('ZSCORE', entries, int(amount) .. ':' .. id)
  if leaves then
    drop(entries, amount)
    if actual > 0 then
      redis.call('ZADD', entries, leaves, int(actual) .. ':' .. id)
      add(entries, actual)
    end
  end
  if actual > amount then put(entries, actual - amount, int(actual - amount) .. ':' .. id .. '+', now, windowMs) end
end

local spent = {}
for i = 1, count do
  local kind, amount, actual, span, entries = arg(), number(), number(), number(), key()
  spent[i] = -1
  if kind == 'rate' then
    trueUp(entries, amount, actual, span)
  else
    drop(entries, amount)
    if kind == 'budget' then
      local account = key()
      spent[i] = spend(account, actual)
      if spent[i] ~= -1 then keepAccount(account, span, now) end
    end
  end
end
return spent
`)

/**
 * KEYS: per reservation its own, and the entries of its budgets and leases. ARGV: ttl, number of reservations, per
 * reservation id, number of entries, and their amounts. Gives the places of those that are gone.
 */
export const renewScript = defineScript(`${common}
at = 0
local ttl, count = number(), number()
local now = time()
local gone = {}
for i = 1, count do
  local id, holds, reservation = arg(), number(), key()
  local known = redis.call('GET', reservation)
  local lives = known and known ~= 'ended'
  if lives then redis.call('PEXPIRE', reservation, int(ttl)) else gone[#gone + 1] = i - 1 end
  for _ = 1, holds do
    local member, entries = int(number()) .. ':' .. id, key()
    if lives then
      redis.call('ZADD', entries, 'XX', int(now + ttl), member)
      keep(entries, ttl)
    end
  end
end
return gone
`)

/** KEYS: accounts. ARGV: per account what was spent, the date before which, and the window's end (-1: none). */
export const seedScript = defineScript(`${common}
at = 0
local now = time()
for _ = 1, #KEYS do
  local account, spent, before, endsAt = key(), number(), number(), number()
  local parts = redis.call('HMGET', account, 'until', 'ledger', 'settled', 'split', 'after')
  for i = 1, 5 do parts[i] = tonumber(parts[i]) end
  local known, ledger, settled, split, after = parts[1], parts[2] or 0, parts[3] or 0, parts[4], parts[5] or 0
  if not known then
    redis.call('HSET', account, 'ledger', int(spent), 'settled', 0, 'until', int(before))
  elseif split == before then
    local least = ledger + settled - after
    redis.call('HSET', account, 'ledger', int(math.max(spent, least)), 'settled', int(after), 'until', int(before))
    redis.call('HDEL', account, 'split', 'after')
  elseif known == before and spent > ledger then
    redis.call('HSET', account, 'ledger', int(spent))
  end
  keepAccount(account, endsAt, now)
end
return #KEYS
`)

/** KEYS: accounts. ARGV: the date at which they are split. */
export const splitScript = defineScript(`${common}
at = 0
local date = number()
for _ = 1, #KEYS do
  local account = key()
  local known = tonumber(redis.call('HGET', account, 'until'))
  if known and known < date and redis.call('HSETNX', account, 'split', int(date)) == 1 then
    redis.call('HSET', account, 'after', 0)
  end
end
return #KEYS
`)

/** KEYS: per hold its entries and, of budgets, its account. ARGV: per hold its kind. Gives used, held, and the dates of seed and split. */
export const readScript = defineScript(`${common}
at = 0
local now = time()
local levels = {}
for i = 1, #ARGV do
  local kind, entries = arg(), key()
  sweep(entries, now)
  local held, used, since, split = sum(entries), 0, -1, -1
  if kind == 'rate' then used, held = held, 0 end
  if kind == 'budget' then
    local account = key()
    used = spentOf(account)
    local dates = redis.call('HMGET', account, 'until', 'split')
    since, split = tonumber(dates[1]) or -1, tonumber(dates[2]) or -1
  end
  levels[i] = {int(used), int(held), int(since), int(split)}
end
return levels
`)
