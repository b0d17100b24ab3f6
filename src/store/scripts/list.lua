-- What lists of some scopes' sessions share, whether one Redis holds all or a cluster: which sessions come next,
-- latest activity first.
--
-- KEYS: for each scope the set of its sessions, and how far it is indexed
-- ARGV: bucket or '' for all, most sessions, most bytes, microseconds and id of the cursor ('' to start),
--       '1' to add the volumes of the system that hold sessions, and the scopes

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

-- Some more members of a scope's set, from where indexing it goes on, as SSCAN answers them.
local function scan_on(scope, count)
  local found = redis.pcall('SSCAN', scope.members, own('GET', scope.indexing) or '0', 'COUNT', count)
  if found.err then
    -- What is kept there may be no place to go on from.
    found = redis.call('SSCAN', scope.members, '0', 'COUNT', count)
  end
  return found
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
        local position = position_after_cursor(key)
        sources[#sources + 1] = {key = key, bucket = bucket, position = position, buffer = {}, next = 1}
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
      source.buffer[#source.buffer + 1] =
        {id = range[index], micros = tonumber(range[index + 1]), key = source.key, bucket = source.bucket}
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
    for place = #sources, 1, -1 do
      local source = sources[place]
      local candidate = peek(source, chunk)
      if not candidate then
        table.remove(sources, place)
      elseif not first or comes_first(candidate, first) then
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

