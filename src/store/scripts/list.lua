-- Lists a page of a scope's sessions, latest activity first.
--
-- KEYS: the set of the scope's sessions
-- ARGV: scope, bucket or '' for all, most sessions, microseconds and id of the cursor ('' to start),
--       where to go on indexing ('0' to start)
-- Returns {'indexing', where to go on}, or
--         {'page', microseconds and id of the next cursor or '', sessions {id, document, count, activity}}
local MEMBERS_PER_CALL = 2000

local scope, wanted_bucket, limit, cursor_micros, cursor_id, scan = unpack(ARGV, 1, 6)
limit = tonumber(limit)

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

-- Indexes what the Python version wrote, some members at a time. Returns where to go on, '0' at the end.
local function index_members()
  local found = redis.call('SSCAN', KEYS[1], scan, 'COUNT', MEMBERS_PER_CALL)
  for _, id in ipairs(found[2]) do
    local text = peek_document(document_key(id))
    if text then
      local document = decode(text)
      local bucket = bucket_of(document)
      redis.call('ZADD', recent_key(scope, bucket), 'NX', parse_time(document.updated_at), id)
      remove_from_buckets(scope, id, bucket)
    else
      redis.call('SREM', KEYS[1], id)
    end
  end
  return found[1]
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
local function is_indexed()
  local members, indexed = redis.call('SCARD', KEYS[1]), 0
  for _, bucket in ipairs(BUCKETS) do
    indexed = indexed + redis.call('ZCARD', recent_key(scope, bucket))
  end
  return indexed >= members and tonumber(redis.call('GET', indexed_key(scope)) or 0) == members
end

if not is_indexed() then
  local next_scan = index_members()
  if next_scan ~= '0' then
    return {'indexing', next_scan}
  end
  local members = redis.call('SCARD', KEYS[1])
  if members > 0 then
    redis.call('SET', indexed_key(scope), members)
  else
    redis.call('DEL', indexed_key(scope))
  end
end

-- One more than asked for from each bucket: enough to merge them, and to know whether there is more.
local candidates = {}
for _, bucket in ipairs(BUCKETS) do
  if wanted_bucket == '' or wanted_bucket == bucket then
    local key = recent_key(scope, bucket)
    local start = position_after_cursor(key)
    local range = redis.call('ZREVRANGE', key, start, start + limit, 'WITHSCORES')
    for index = 1, #range, 2 do
      candidates[#candidates + 1] = {id = range[index], micros = tonumber(range[index + 1]), key = key}
    end
  end
end
table.sort(candidates, function(left, right)
  if left.micros ~= right.micros then
    return left.micros > right.micros
  end
  return is_before(right.id, left.id)
end)

local sessions, last = {}, nil
for index = 1, math.min(limit, #candidates) do
  last = candidates[index]
  local key = document_key(last.id)
  local text = peek_document(key)
  if text then
    local count = redis.pcall('LLEN', key .. ':messages')
    sessions[#sessions + 1] = {last.id, text, type(count) == 'number' and count or 0, last.micros}
  else
    -- The Python version deleted it.
    redis.call('ZREM', last.key, last.id)
  end
end
if #candidates > limit then
  return {'page', last.micros, last.id, sessions}
end
return {'page', 0, '', sessions}
