-- Functions that all scripts share: key names, documents, and the index by last activity.
--
-- A script is assembled from these parts (script.rs), in this order. Each part sees the locals of those before it:
--   1. OPEN, CLOSE: the braces of hash tags on a cluster, '' on a single Redis
--   2. envelope.lua: the trailing arguments of each call
--   3. charge_rate_limit.lua, and on a single Redis charge.lua
--   4. for some scripts a file that answers the common case, or all cases, before the functions that it does not need are
--      defined
--   5. prelude.lua
--   6. details.lua: the index by creation and of pinned sessions
--   7. index.lua, or cluster/index.lua: the index, which other slots store on a cluster
--   8. access.lua: access of the caller to a session
--   9. local function operate() … end, around the file or files of the script
--   10. reply.lua, or cluster/reply.lua: runs operate() and returns its result
--
-- Keys that a request determines come in KEYS. Only keys that stored data determines are built here.
--
-- A scope is 'all' or '{volume}:{volume_id}'. Its index is one sorted set per bucket, which contains session ids by the
-- microseconds of their last activity. llmos:indexed:{scope} counts the members of the scope's set that are indexed. If
-- the set has a different size, the Python version changed it.
local ALL = 'all'
local ARCHIVED = 'archived-'
local STATUSES = {'active', 'paused', 'completed', 'other'}
-- Those that are not archived come first: most sessions are in them.
local BUCKETS = {
  'active', 'paused', 'completed', 'other',
  'archived-active', 'archived-paused', 'archived-completed', 'archived-other'
}
-- The ids of the system volumes that contain sessions. All callers may read these sessions.
local SYSTEM_VOLUMES = 'llmos:system-volumes'
local MAX_SYSTEM_VOLUMES = 100

-- Documents of this service stay under 20 KB; those of the Python version also contain the first message.
local MAX_DOCUMENT_BYTES = 1048576
-- The largest document that is read only to find its owner. Reading a larger one would reveal by its time that the
-- session exists.
local MAX_ACCESS_CHECK_BYTES = 32768

-- Returns the hash tag of a name. Redis ignores empty braces, so a name that begins with '}' gets one more: see
-- keys.rs.
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

-- Adds to the count of indexed members of a scope's set. A malformed count is replaced.
local function count_indexed(scope, change)
  local count = redis.pcall('INCRBY', indexed_key(scope), change)
  if type(count) == 'number' then
    return count
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

-- Runs a command on a key whose value may be lost. A value of another type is deleted first, because an error in the
-- middle of a script would leave its earlier writes.
local function call_own_type(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if not reply.err:find('WRONGTYPE', 1, true) then
    error(reply.err)
  end
  redis.call('DEL', key)
  return redis.call(command, key, ...)
end

-- Stops the script before its first write if a key that it writes has a value of another type.
local function expect_type(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= expected then
    error('UNREADABLE expected a ' .. expected .. ', found a ' .. found)
  end
end

-- Returns the text under a key: nil if the key is missing, '' if its value cannot be a document.
local function peek_document(key)
  -- One byte more than allowed.
  local text = redis.pcall('GETRANGE', key, 0, MAX_DOCUMENT_BYTES)
  if text == '' then
    return nil
  end
  if type(text) ~= 'string' or #text > MAX_DOCUMENT_BYTES then
    return ''
  end
  return text
end

-- Decodes a document; returns an empty table unless it is a JSON object. Only for reading: cjson rounds numbers.
local last_text, last_document
local function decode(text)
  if text ~= last_text then
    local is_json, document = pcall(cjson.decode, text)
    last_text, last_document = text, is_json and type(document) == 'table' and document or {}
  end
  return last_document
end

-- Stops the script if a text is certainly not a session. A text that only cjson rejects may still be one: cjson accepts
-- less than other parsers.
local function expect_session(text)
  local document = decode(text)
  local has_volume = type(document.volume) == 'string' and type(document.volume_id) == 'string'
  if not has_volume and not (text:find('^%s*{.*}%s*$') and not pcall(cjson.decode, text)) then
    error('UNREADABLE the document is not a session')
  end
end

-- Returns whether a session was created by the first attempt of this request, whose reply was lost. Generated ids are
-- unique, so the token is ''. A session with an id that a client chose contains the token of its request.
local function is_created_by(token, text)
  return token == '' or text:find('"creation_token":"' .. token .. '"', 1, true) ~= nil
end

-- Parses a stored count; returns 0 for a malformed one.
local function parse_count(text)
  return text and #text <= 15 and text:find('^%d+$') and tonumber(text) or 0
end

-- Returns the state of a session's message index, nil if it has none: see messages.lua.
local function index_of(document)
  return document:match('^%s*{%s*"message_index":%s*"(%l+)"')
end

-- Returns the number of messages of the active branch without deleted ones, from the key of its state and the seq of the
-- last message. Messages that were appended since the state was stored are on the active branch.
local function visible_count(state_key, last_seq)
  local stored = redis.pcall('HMGET', state_key, 'visible', 'count')
  if stored.err or not stored[1] then
    return last_seq
  end
  return math.max(parse_count(stored[1]) + last_seq - parse_count(stored[2]), 0)
end

-- Returns the message count that lists show of a session.
local function listed_count(id, document, last_seq)
  if index_of(document) == 'branches' then
    return visible_count('llmos:branch:' .. tag(id), last_seq)
  end
  return last_seq
end

local function bucket_of(document)
  local prefix = document.archived == true and ARCHIVED or ''
  for _, status in ipairs(STATUSES) do
    if document.status == status then
      return prefix .. status
    end
  end
  return prefix .. 'other'
end

-- Returns the scopes that list a session.
local function scopes_of(document)
  if type(document.volume) == 'string' and type(document.volume_id) == 'string' then
    return {ALL, document.volume .. ':' .. document.volume_id}
  end
  return {ALL}
end

-- Returns the id of a session's system volume, '' for a session in another volume.
local function system_volume_of(document)
  local is_system = document.volume == 'system' and type(document.volume_id) == 'string'
  return is_system and document.volume_id or ''
end

-- Registers a system volume, so that all callers may read its sessions.
local function add_system_volume(id)
  if call_own_type('SCARD', SYSTEM_VOLUMES) < MAX_SYSTEM_VOLUMES then
    redis.call('SADD', SYSTEM_VOLUMES, id)
  end
end

-- Returns whether a scope, other than that of a system volume, is one of the caller's.
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
      call_own_type('ZREM', recent_key(scope, bucket), id)
    end
  end
end

-- Records that all members of a scope's set are indexed.
local function set_indexed(scope, members)
  local count = redis.call('SCARD', members)
  if count > 0 then
    redis.call('SET', indexed_key(scope), count)
  else
    redis.call('DEL', indexed_key(scope))
  end
end

-- Deletes the counts of a skill.
local function delete_usage(key, id)
  return call_own_type('HDEL', key, 'uses:' .. id, 'successes:' .. id, 'timed:' .. id, 'milliseconds:' .. id)
end

-- Returns the last activity of a session in microseconds, nil if the scope's index does not contain it. Searches some
-- buckets, or all.
local function indexed_activity(scope, id, buckets)
  for _, bucket in ipairs(buckets or BUCKETS) do
    local micros = call_own_type('ZSCORE', recent_key(scope, bucket), id)
    if micros then
      return tonumber(micros)
    end
  end
end
