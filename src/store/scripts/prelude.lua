-- Shared by every script: reading a session's document, and the index of sessions by recency.
-- Keys that a caller can name come in KEYS; only those that Redis itself tells of are named here.
-- A line before this one says what stands around that part of a key which tells its slot: OPEN and CLOSE are
-- braces on a cluster, and nothing where one Redis holds all.
--
-- The last arguments of every call say who calls: the scopes that the caller may see, a line each, or '*'
-- for all; '1' if the caller may change something; the key that the caller's requests are counted under, or
-- '' for a call that does not count; how many microseconds one of them counts, and how many may come at once.
--
-- A scope is 'all' or '{volume}:{volume_id}'. Its index is one sorted set per bucket, in which a session
-- stands under the microseconds of its last activity. llmos:indexed:{scope} counts the members of the
-- scope's set that the index knows of: where the set has another size, the Python version changed it.
local ALL = 'all'
local BUCKETS = {'active', 'paused', 'completed', 'other'}
-- The ids of the system's volumes that hold sessions. All callers may see them.
local SYSTEM_VOLUMES = 'llmos:system-volumes'
local MAX_SYSTEM_VOLUMES = 100

-- The microseconds of Redis's clock, nil where we may not ask for it.
local function clock()
  local time = redis.pcall('TIME')
  return not time.err and tonumber(time[1]) * 1000000 + tonumber(time[2]) or nil
end

local function pop_argument()
  return table.remove(ARGV)
end
local burst, interval, limit_key = tonumber(pop_argument()), tonumber(pop_argument()), pop_argument()
local may_change, visible_scopes = pop_argument() == '1', pop_argument()

-- Ours stay under 20 KB; the Python version put the first message in, too.
local MAX_DOCUMENT_BYTES = 1048576
-- The largest document that is read only to tell whose it is. What takes longer would tell that it is there.
local MAX_JUDGED_BYTES = 32768

-- What keys that belong together share. Braces around nothing would be none: see keys.rs.
local function tag(name)
  if OPEN ~= '' and name:find('^{*}') then
    name = OPEN .. name
  end
  return OPEN .. name .. CLOSE
end

local function recent_key(scope, bucket)
  return 'llmos:recent:' .. tag(scope) .. ':' .. bucket
end

local function indexed_key(scope)
  return 'llmos:indexed:' .. tag(scope)
end

local function indexing_key(scope)
  return 'llmos:indexing:' .. tag(scope)
end

-- Counts members of a scope's set that the index knows of. What is no number there is no count.
local function count_indexed(scope, change)
  local counted = redis.pcall('INCRBY', indexed_key(scope), change)
  if type(counted) == 'number' then
    return counted
  end
  redis.call('SET', indexed_key(scope), math.max(change, 0))
  return math.max(change, 0)
end

local function document_key(id)
  return 'session:' .. tag(id)
end

local function messages_key(id)
  return document_key(id) .. ':messages'
end

local function members_key(scope)
  return tag(scope) .. ':sessions'
end

-- A command on a key of ours that may be lost. What else stands there is dropped: a script that stumbles over it
-- half-way would leave what it did so far.
local function own(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then
    return answer
  end
  if not answer.err:find('WRONGTYPE', 1, true) then
    error(answer.err)
  end
  redis.call('DEL', key)
  return redis.call(command, key, ...)
end

-- Stops before the first write where something else stands under a key that is to be written.
local function expect_type(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= expected then
    error('UNREADABLE a ' .. found .. ' stands in place of a ' .. expected)
  end
end

-- The text under a key: nil where there is nothing, '' where what is there cannot be a document.
local function peek_document(key)
  local size = redis.pcall('STRLEN', key)
  if size == 0 then
    return nil
  end
  if type(size) ~= 'number' or size > MAX_DOCUMENT_BYTES then
    return ''
  end
  return redis.call('GET', key)
end

-- What a document says; nothing where it is no JSON object. Only for reading: cjson rounds numbers.
local last_text, last_document
local function decode(text)
  if text ~= last_text then
    local is_json, document = pcall(cjson.decode, text)
    last_text, last_document = text, is_json and type(document) == 'table' and document or {}
  end
  return last_document
end

-- Stops where a text is certainly no session. What cjson cannot read may still be one: it takes less than others.
local function expect_session(text)
  local document = decode(text)
  local is_one = type(document.volume) == 'string' and type(document.volume_id) == 'string'
  if not is_one and not (text:find('^%s*{.*}%s*$') and not pcall(cjson.decode, text)) then
    error('UNREADABLE the document is no session')
  end
end

-- A count that is kept; 0 for what is none.
local function count_in(text)
  return text and #text <= 15 and text:find('^%d+$') and tonumber(text) or 0
end

local function bucket_of(document)
  for _, bucket in ipairs(BUCKETS) do
    if document.status == bucket then
      return bucket
    end
  end
  return 'other'
end

-- The scopes a session is listed in.
local function scopes_of(document)
  if type(document.volume) == 'string' and type(document.volume_id) == 'string' then
    return {ALL, document.volume .. ':' .. document.volume_id}
  end
  return {ALL}
end

-- The id of the system's volume that a session is in, '' where it is in none.
local function system_volume_of(document)
  local is_systems = document.volume == 'system' and type(document.volume_id) == 'string'
  return is_systems and document.volume_id or ''
end

-- Notes a volume of the system's, so that all callers are shown what is in it.
local function note_system_volume(id)
  if own('SCARD', SYSTEM_VOLUMES) < MAX_SYSTEM_VOLUMES then
    redis.call('SADD', SYSTEM_VOLUMES, id)
  end
end

-- Whether the caller may see what is in a scope that is not the system's.
local function is_visible(scope)
  for visible in visible_scopes:gmatch('[^\n]+') do
    if visible == scope then
      return true
    end
  end
  return false
end

local function remove_from_buckets(scope, id, kept_bucket)
  for _, bucket in ipairs(BUCKETS) do
    if bucket ~= kept_bucket then
      own('ZREM', recent_key(scope, bucket), id)
    end
  end
end

-- Has a scope's index forget a session that is gone.
local function forget_member(scope, id)
  -- What is no set holds no id.
  if redis.pcall('SREM', members_key(scope), id) == 1 and count_indexed(scope, -1) <= 0 then
    redis.call('DEL', indexed_key(scope))
  end
  remove_from_buckets(scope, id)
end

-- Notes that the index knows all that is in a scope's set.
local function note_indexed(scope, members)
  local count = redis.call('SCARD', members)
  if count > 0 then
    redis.call('SET', indexed_key(scope), count)
  else
    redis.call('DEL', indexed_key(scope))
  end
end

-- Forgets how often a skill was used.
local function forget_usage(key, id)
  return own('HDEL', key, 'uses:' .. id, 'successes:' .. id, 'timed:' .. id, 'milliseconds:' .. id)
end

-- The microseconds of a session's last activity, nil where the scope's index does not know it.
local function indexed_activity(scope, id)
  for _, bucket in ipairs(BUCKETS) do
    local micros = own('ZSCORE', recent_key(scope, bucket), id)
    if micros then
      return tonumber(micros)
    end
  end
end
