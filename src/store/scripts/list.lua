-- Start of the scripts that list sessions, on a single Redis (page.lua) and on a cluster (cluster/candidates.lua):
-- finds the next sessions of the scopes, in order.
local source_name, buckets, limit, max_bytes, cursor_micros, cursor_id, with_system = unpack(ARGV, 1, 7)
local is_ascending, with_total = ARGV[8] == '1', ARGV[9] == '1'
local FIRST_SCOPE = 10
-- KEYS: for each scope the set of its sessions, and the position of indexing
-- ARGV: 'recent' (by last activity), 'created' (by creation) or 'pinned' (in no order), the buckets with commas between
--       them, maximum number of sessions, maximum bytes, microseconds and id of the cursor ('' to start), '1' to add
--       the system volumes, '1' for ascending order or '0', '1' to count the sessions of the buckets, the scopes
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

-- The command that reads a sorted set in the order of the list.
local RANGE = is_ascending and 'ZRANGE' or 'ZREVRANGE'

-- Returns the number of sessions at or before the cursor. Sessions with the same time are in the order of their ids, so
-- a binary search finds the position among them.
local function position_after_cursor(key)
  if cursor_id == '' then
    return 0
  end
  local low = is_ascending and redis.call('ZCOUNT', key, '-inf', '(' .. cursor_micros)
    or redis.call('ZCOUNT', key, '(' .. cursor_micros, '+inf')
  local high = low + redis.call('ZCOUNT', key, cursor_micros, cursor_micros)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local id = redis.call(RANGE, key, middle, middle)[1]
    local is_after = is_ascending and is_before(cursor_id, id) or not is_ascending and is_before(id, cursor_id)
    if is_after then
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
  scope.used_buckets = {}
  for _, bucket in ipairs(BUCKETS) do
    local count = call_own_type('ZCARD', recent_key(scope.name, bucket))
    indexed = indexed + count
    if count > 0 then
      table.insert(scope.used_buckets, bucket)
    end
  end
  return indexed >= members and tonumber(call_own_type('GET', indexed_key(scope.name)) or 0) == members
end

-- Returns whether the details of the index are needed and incomplete.
local function lacks_details(scope)
  if source_name == 'recent' or redis.call('SCARD', scope.members) == 0 then
    return false
  end
  return call_own_type('SISMEMBER', pinned_key(scope.name), COMPLETE) == 0
    or not has_creations(scope.name, scope.members)
end

-- Returns whether indexing has to visit the members of a scope's set. Begins with empty details unless they were
-- complete before: the set of pinned sessions may have been lost.
local function must_index(scope)
  local is_complete, is_lacking = is_indexed(scope), lacks_details(scope)
  local is_start = is_lacking and not call_own_type('GET', scope.indexing)
  if is_start and call_own_type('SISMEMBER', pinned_key(scope.name), COMPLETE) == 0 then
    redis.call('UNLINK', created_key(scope.name), pinned_key(scope.name))
    redis.call('SET', scope.indexing, '0')
  end
  return is_lacking or not is_complete
end

-- Returns whether the index by last activity contains a member. Most scopes use few buckets.
local function is_recent(scope, id)
  return indexed_activity(scope.name, id, scope.used_buckets)
end

-- Returns whether the index contains a member.
local function contains(scope, id)
  return is_recent(scope, id)
    and (source_name == 'recent' or call_own_type('ZSCORE', created_key(scope.name), id))
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
  if is_ascending then
    left, right = right, left
  end
  if left.micros ~= right.micros then
    return left.micros > right.micros
  end
  return is_before(right.id, left.id)
end

-- Returns the number of sessions in the buckets of a scope.
local function count_sessions(scope)
  local count = 0
  for bucket in buckets:gmatch('[^,]+') do
    count = count + call_own_type('ZCARD', recent_key(scope.name, bucket))
  end
  return count
end

-- Returns the sources of sessions, each in order: one per scope and bucket, or one per scope by creation.
local function open_sources()
  local sources = {}
  local function open(scope, key, bucket)
    local position = position_after_cursor(key)
    sources[#sources + 1] =
      {scope = scope.name, key = key, bucket = bucket, position = position, buffer = {}, next = 1}
  end
  for _, scope in ipairs(scopes) do
    if source_name == 'created' then
      open(scope, created_key(scope.name), '')
    else
      for bucket in buckets:gmatch('[^,]+') do
        open(scope, recent_key(scope.name, bucket), bucket)
      end
    end
  end
  return sources
end

-- Returns the next session of a source, after reading another chunk if none is buffered.
local function peek(source, chunk)
  if not source.buffer[source.next] and not source.has_ended then
    local last = source.position + chunk - 1
    local range = redis.call(RANGE, source.key, source.position, last, 'WITHSCORES')
    source.position, source.buffer, source.next = last + 1, {}, 1
    source.has_ended = #range < 2 * chunk
    for index = 1, #range, 2 do
      source.buffer[#source.buffer + 1] = {
        id = range[index], micros = tonumber(range[index + 1]),
        scope = source.scope, key = source.key, bucket = source.bucket
      }
    end
  end
  return source.buffer[source.next]
end

-- Returns the pinned sessions in no order; nil if they are more than the limit.
local function pinned_candidates()
  local candidates, count = {}, 0
  for _, scope in ipairs(scopes) do
    count = count + call_own_type('SCARD', pinned_key(scope.name))
    -- One member is COMPLETE.
    if count > limit + #scopes then
      return nil
    end
    for _, id in ipairs(redis.call('SMEMBERS', pinned_key(scope.name))) do
      if id ~= COMPLETE then
        candidates[#candidates + 1] =
          {id = id, micros = indexed_activity(scope.name, id) or 0, key = pinned_key(scope.name), bucket = ''}
      end
    end
  end
  return #candidates <= limit and candidates or nil
end

-- Returns the next sessions in order, one more than the limit if there is one.
local function candidates_after_cursor()
  if source_name == 'pinned' then
    return pinned_candidates()
  end
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

