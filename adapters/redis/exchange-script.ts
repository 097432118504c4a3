import { defineScript } from './client.js'

/** A process that has not asked for this long is dead: what it had in flight no longer counts. */
const deadAfterMs = 3_000

/**
 * Takes what one process tells and gives what the others told since.
 *
 * KEYS: the version; values by name; names by the version that they changed at; names by the time they end at.
 * ARGV: the process as a JSON string, the version it knows, the channel for news, then name, value and lifetime of each
 * thing told. Names are `d<process><id>` for what a process did with a deployment, `c<id>` for a cooldown, and, among the
 * ends only, `p<process>`.
 * Gives whether the process was unknown (1: all that it told before may be gone), the version, and the values.
 */
export const exchangeScript = defineScript(`
local version, values, news, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local process, known, channel = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local changed = false

-- From the clock, so that it also grows when all was lost meanwhile, or damaged.
if not tonumber(redis.call('GET', version) or '') then
  redis.call('SET', version, string.format('%.0f', now * 1000))
end

local function tell(name, value)
  redis.call('HSET', values, name, value)
  redis.call('ZADD', news, redis.call('INCR', version), name)
  changed = true
end

local function keep(name, lifetime)
  redis.call('ZADD', ends, now + lifetime, name)
end

local function forget(name)
  redis.call('HDEL', values, name)
  redis.call('ZREM', news, name)
  redis.call('ZREM', ends, name)
end

-- What it did in this minute stays, what it has in flight does not.
local function bury(owner)
  redis.call('ZREM', ends, 'p' .. owner)
  local prefix = 'd' .. owner
  for _, name in ipairs(redis.call('HKEYS', values)) do
    if name:sub(1, #prefix) == prefix then
      local idle, busy = redis.call('HGET', values, name):gsub('^{"inFlight":[1-9]%d*', '{"inFlight":0')
      if busy == 1 then tell(name, idle) end
    end
  end
end

local function isBusy(name)
  return name:sub(1, 1) == 'd' and string.find(redis.call('HGET', values, name) or '', '^{"inFlight":[1-9]')
end

for _, name in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 200)) do
  if name:sub(1, 1) == 'p' then
    bury(name:sub(2))
  elseif isBusy(name) then
    keep(name, 60000)
  else
    forget(name)
  end
end

-- What cannot be read is older than everything.
local function decidedAt(value)
  local isRead, told = pcall(cjson.decode, value)
  local cooldown = isRead and type(told) == 'table' and told.cooldown
  return type(cooldown) == 'table' and tonumber(cooldown.at) or 0
end

local unknown = redis.call('ZADD', ends, now + ${deadAfterMs}, 'p' .. process)
for index = 4, #ARGV, 3 do
  local name, value, lifetime = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
  local before = redis.call('HGET', values, name)
  -- The same cooldown again is no news; the same load again is a sign of life.
  if name:sub(1, 1) == 'd' or not before or (value ~= before and decidedAt(value) >= decidedAt(before)) then
    keep(name, lifetime)
    tell(name, value)
  end
end
if changed then redis.call('PUBLISH', channel, process) end

local last = redis.call('ZREVRANGE', ends, 0, 0, 'WITHSCORES')[2]
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, last - now + 60000) end

local current = redis.call('GET', version)
local from = tonumber(known) > tonumber(current) and '-inf' or '(' .. known
local reply = { unknown, current }
for _, name in ipairs(redis.call('ZRANGEBYSCORE', news, from, '+inf')) do
  if name:sub(1, #process + 1) ~= 'd' .. process then reply[#reply + 1] = redis.call('HGET', values, name) end
end
return reply
`)
