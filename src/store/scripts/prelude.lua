-- Shared by every script: reading a session's document, and the index of sessions by recency.
-- Keys that a caller can name come in KEYS; only those that Redis itself tells of are named here.
--
-- A scope is 'all' or '{volume}:{volume_id}'. Its index is one sorted set per bucket, in which a session
-- stands under the microseconds of its last activity. llmos:indexed:{scope} counts the members of the
-- scope's set that the index knows of: where the set has another size, the Python version changed it.
local ALL = 'all'
local BUCKETS = {'active', 'paused', 'completed', 'other'}

-- Ours stay under 20 KB; the Python version put the first message in, too.
local MAX_DOCUMENT_BYTES = 1048576

local function recent_key(scope, bucket)
  return 'llmos:recent:' .. scope .. ':' .. bucket
end

local function indexed_key(scope)
  return 'llmos:indexed:' .. scope
end

local function document_key(id)
  return 'session:' .. id
end

local function members_key(scope)
  return scope .. ':sessions'
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

-- The same for a session that was asked for by its id.
local function read_document(key)
  local text = peek_document(key)
  if text == '' then
    error('UNREADABLE ' .. key .. ' is not a string of at most 1 MB')
  end
  return text
end

-- What a document says; nothing where it is no JSON object. Only for reading: cjson rounds numbers.
local function decode(text)
  local is_json, document = pcall(cjson.decode, text)
  if is_json and type(document) == 'table' then
    return document
  end
  return {}
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

local function remove_from_buckets(scope, id, kept_bucket)
  for _, bucket in ipairs(BUCKETS) do
    if bucket ~= kept_bucket then
      redis.call('ZREM', recent_key(scope, bucket), id)
    end
  end
end

-- Notes activity on a session. It never goes back in time, whatever the clock of the caller does.
local function touch(id, document, micros)
  local bucket = bucket_of(document)
  for _, scope in ipairs(scopes_of(document)) do
    if redis.call('ZADD', recent_key(scope, bucket), 'GT', micros, id) == 1 then
      remove_from_buckets(scope, id, bucket)
    end
  end
end

-- The microseconds of a session's last activity, nil where the scope's index does not know it.
local function indexed_activity(scope, id)
  for _, bucket in ipairs(BUCKETS) do
    local micros = redis.call('ZSCORE', recent_key(scope, bucket), id)
    if micros then
      return tonumber(micros)
    end
  end
end

-- The same for a session that was asked for by its id, 0 where it is not known.
local function activity_of(id)
  return indexed_activity(ALL, id) or 0
end
