-- Lists a page of the sessions of some scopes, latest activity first.
--
-- KEYS: for each scope the set of its sessions, and how far it is indexed
-- ARGV: bucket or '' for all, most sessions, most bytes, microseconds and id of the cursor ('' to start),
--       '1' to add the volumes of the system that hold sessions, and the scopes
-- Returns {'indexing'}, when it must be called again, or
--         {'page', microseconds and id of the next cursor or '', sessions {id, document, count, activity}}

-- What one call indexes at most, so that nobody waits long for Redis meanwhile.
local MEMBERS_PER_CALL = 500
local BYTES_PER_CALL = 1000000
-- How often a page is put together again because sessions on it turn out to be gone.
local MAX_ATTEMPTS = 20

-- How many candidates are read at once from all places together, unless a page needs more of one.
local CHUNK = 2048

local FIRST_SCOPE = 7
local wanted_bucket, limit, max_bytes, cursor_micros, cursor_id, with_system = unpack(ARGV, 1, 6)
limit, max_bytes = tonumber(limit), tonumber(max_bytes)

-- The scopes, each with the keys that belong to it.
local scopes = {}
local function add_scope(name, members, indexing)
  for _, scope in ipairs(scopes) do
    if scope.name == name then
      return
    end
  end
  scopes[#scopes + 1] = {name = name, members = members, indexing = indexing}
end
for index = FIRST_SCOPE, #ARGV do
  local place = 2 * (index - FIRST_SCOPE)
  add_scope(ARGV[index], KEYS[place + 1], KEYS[place + 2])
end
if with_system == '1' then
  for _, id in ipairs(system_volumes()) do
    local name = 'system:' .. id
    add_scope(name, members_key(name), 'llmos:indexing:' .. name)
  end
end

-- RFC 3339 as the Python version wrote it, in microseconds; 0 for anything else.
local function parse_time(text)
  if type(text) ~= 'string' then
    return 0
  end
  local year, month, day, hour, minute, second, fraction =
    text:match('^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d)%.?(%d*)')
  if not year then
    return 0
  end
  -- Days since 1970 in the Gregorian calendar, counting years from March.
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local days = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
  local micros = tonumber((fraction .. '000000'):sub(1, 6))
  return ((days * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + micros
end

-- Indexes some more of what the Python version wrote; whether that was all. How far it is, is kept in
-- Redis: requests at the same time share the work, and none is lost with one that fails.
local function index_members(scope)
  local found = redis.call('SSCAN', scope.members, own('GET', scope.indexing) or '0', 'COUNT', MEMBERS_PER_CALL)
  local bytes = 0
  for _, id in ipairs(found[2]) do
    if not indexed_activity(scope.name, id) then
      if bytes > BYTES_PER_CALL then
        return false
      end
      local text = peek_document(document_key(id))
      if text then
        bytes = bytes + #text
        local document = decode(text)
        note_system_volume(document)
        own('ZADD', recent_key(scope.name, bucket_of(document)), parse_time(document.updated_at), id)
      else
        redis.call('SREM', scope.members, id)
      end
    end
  end
  if found[1] ~= '0' then
    redis.call('SET', scope.indexing, found[1])
    return false
  end
  redis.call('DEL', scope.indexing)
  return true
end

-- Ids are compared as Redis does, by their bytes; Lua's own comparison follows the locale.
local function is_before(left, right)
  for index = 1, math.min(#left, #right) do
    local a, b = left:byte(index), right:byte(index)
    if a ~= b then
      return a < b
    end
  end
  return #left < #right
end

-- How many sessions of an index stand at or before the cursor. Among those that share its moment,
-- which stand in descending order of id, its place is found by halving.
local function position_after_cursor(key)
  if cursor_id == '' then
    return 0
  end
  local low = redis.call('ZCOUNT', key, '(' .. cursor_micros, '+inf')
  local high = low + redis.call('ZCOUNT', key, cursor_micros, cursor_micros)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_before(redis.call('ZREVRANGE', key, middle, middle)[1], cursor_id) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

-- Whether the index knows every member, as far as counting can tell.
local function is_indexed(scope)
  local members, indexed = redis.call('SCARD', scope.members), 0
  for _, bucket in ipairs(BUCKETS) do
    indexed = indexed + own('ZCARD', recent_key(scope.name, bucket))
  end
  return indexed >= members and tonumber(own('GET', indexed_key(scope.name)) or 0) == members
end

-- Whether one session stands before another one in a list.
local function comes_first(left, right)
  if left.micros ~= right.micros then
    return left.micros > right.micros
  end
  return is_before(right.id, left.id)
end

-- The places that sessions are read from, each in order: one for each scope and bucket.
local function open_sources()
  local sources = {}
  for _, scope in ipairs(scopes) do
    for _, bucket in ipairs(BUCKETS) do
      if wanted_bucket == '' or wanted_bucket == bucket then
        local key = recent_key(scope.name, bucket)
        sources[#sources + 1] = {key = key, position = position_after_cursor(key), buffer = {}, next = 1}
      end
    end
  end
  return sources
end

-- The next session of a source, some more of which are read where none is at hand.
local function peek(source, chunk)
  if not source.buffer[source.next] and not source.has_ended then
    local last = source.position + chunk - 1
    local range = redis.call('ZREVRANGE', source.key, source.position, last, 'WITHSCORES')
    source.position, source.buffer, source.next = last + 1, {}, 1
    source.has_ended = #range < 2 * chunk
    for index = 1, #range, 2 do
      source.buffer[#source.buffer + 1] = {id = range[index], micros = tonumber(range[index + 1]), key = source.key}
    end
  end
  return source.buffer[source.next]
end

-- The sessions that come next, in order: one more than asked for, if there is one.
local function candidates_after_cursor()
  local sources, candidates = open_sources(), {}
  local chunk = math.min(limit + 1, math.ceil(CHUNK / #sources))
  while #candidates <= limit do
    local first, first_source
    for _, source in ipairs(sources) do
      local candidate = peek(source, chunk)
      if candidate and (not first or comes_first(candidate, first)) then
        first, first_source = candidate, source
      end
    end
    if not first then
      break
    end
    candidates[#candidates + 1] = first
    first_source.next = first_source.next + 1
  end
  return candidates
end

-- A page of them, and whether all of them are still there. Those that the Python version deleted go.
local function read_page()
  local candidates = candidates_after_cursor()
  local sessions, bytes, last, all_there = {}, 0, nil, true
  for index = 1, math.min(limit, #candidates) do
    local candidate = candidates[index]
    local key = document_key(candidate.id)
    local text = peek_document(key)
    if text then
      bytes = bytes + #text
      if #sessions > 0 and bytes > max_bytes then
        break
      end
      local count = redis.pcall('LLEN', key .. ':messages')
      count = type(count) == 'number' and count or 0
      sessions[#sessions + 1] = {candidate.id, text, count, candidate.micros}
    else
      redis.call('ZREM', candidate.key, candidate.id)
      all_there = false
    end
    last = index
  end
  if last and last < #candidates then
    local cursor = candidates[last]
    return {'page', cursor.micros, cursor.id, sessions}, all_there
  end
  return {'page', 0, '', sessions}, all_there
end

for _, scope in ipairs(scopes) do
  if not is_indexed(scope) then
    if not index_members(scope) then
      return {'indexing'}
    end
    local members = redis.call('SCARD', scope.members)
    if members > 0 then
      redis.call('SET', indexed_key(scope.name), members)
    else
      redis.call('DEL', indexed_key(scope.name))
    end
  end
end

local page, all_there
local attempts = 0
repeat
  page, all_there = read_page()
  attempts = attempts + 1
until all_there or attempts == MAX_ATTEMPTS
return page
