-- Start of the scripts that list sessions, on a single Redis (page.lua) and on a cluster (cluster/candidates.lua):
-- finds the next sessions of the scopes, latest activity first.
local requested_bucket, limit, max_bytes, cursor_micros, cursor_id, with_system = unpack(ARGV, 1, 6)
local FIRST_SCOPE = 7
-- KEYS: for each scope the set of its sessions, and the position of indexing
-- ARGV: bucket or '' for all, maximum number of sessions, maximum bytes, microseconds and id of the cursor ('' to
--       start), '1' to add the system volumes, the scopes
limit, max_bytes = tonumber(limit), tonumber(max_bytes)

-- Number of candidates that are read at once from all sources together, unless a page needs more of one.
local CHUNK = 2048

-- The scopes with their keys.
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

-- Compares ids by their bytes, as Redis does; the comparison of Lua follows the locale.
local function is_before(left, right)
  for index = 1, math.min(#left, #right) do
    local a, b = left:byte(index), right:byte(index)
    if a ~= b then
      return a < b
    end
  end
  return #left < #right
end

-- Returns the number of sessions at or before the cursor. Sessions with the same activity are in descending order of
-- id, so a binary search finds the position among them.
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

-- Returns whether the index contains every member, as far as counts can show.
local function is_indexed(scope)
  local members, indexed = redis.call('SCARD', scope.members), 0
  for _, bucket in ipairs(BUCKETS) do
    indexed = indexed + call_own_type('ZCARD', recent_key(scope.name, bucket))
  end
  return indexed >= members and tonumber(call_own_type('GET', indexed_key(scope.name)) or 0) == members
end

-- Returns the next members of a scope's set that indexing has to visit, as a reply of SSCAN.
local function scan_members(scope, count)
  local found = redis.pcall('SSCAN', scope.members, call_own_type('GET', scope.indexing) or '0', 'COUNT', count)
  if found.err then
    -- Another program may have written the position.
    found = redis.call('SSCAN', scope.members, '0', 'COUNT', count)
  end
  return found
end

-- Returns whether one session comes before another in a list.
local function comes_first(left, right)
  if left.micros ~= right.micros then
    return left.micros > right.micros
  end
  return is_before(right.id, left.id)
end

-- Returns the sources of sessions, one per scope and bucket, each in order.
local function open_sources()
  local sources = {}
  for _, scope in ipairs(scopes) do
    for _, bucket in ipairs(BUCKETS) do
      if requested_bucket == '' or requested_bucket == bucket then
        local key = recent_key(scope.name, bucket)
        local position = position_after_cursor(key)
        sources[#sources + 1] = {key = key, bucket = bucket, position = position, buffer = {}, next = 1}
      end
    end
  end
  return sources
end

-- Returns the next session of a source, after reading another chunk if none is buffered.
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

-- Returns the next sessions in order, one more than the limit if there is one.
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

