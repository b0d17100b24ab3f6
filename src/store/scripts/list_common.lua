-- The common case of list.lua on a single Redis: the first page of one scope, latest activity first, whose sessions are all
-- indexed. All other cases go on with the rest of the script.
--
-- KEYS, ARGV: as in list.lua
-- Returns what page.lua returns

-- Returns whether one place of the index comes before another. Ids are compared by their bytes, as Redis does.
local function is_before(left, right)
  if left[1] ~= right[1] then
    return left[1] > right[1]
  end
  local one, other = right[2], left[2]
  for index = 1, math.min(#one, #other) do
    local a, b = one:byte(index), other:byte(index)
    if a ~= b then
      return a < b
    end
  end
  return #one < #other
end

-- Returns the places of the first sessions, one more than the limit; nil if a session is not indexed.
local function first_places(scope, wanted, limit)
  local members, counted = redis.pcall('SCARD', KEYS[1]), redis.pcall('GET', 'llmos:indexed:' .. scope)
  local indexed, places, sources = 0, {}, 0
  for _, prefix in ipairs({'', 'archived-'}) do
    for _, status in ipairs({'active', 'paused', 'completed', 'other'}) do
      local bucket = prefix .. status
      local key = 'llmos:recent:' .. scope .. ':' .. bucket
      local size = redis.pcall('ZCARD', key)
      if type(size) ~= 'number' then
        return nil
      end
      indexed = indexed + size
      if size > 0 and wanted:find(',' .. bucket .. ',', 1, true) then
        local range = redis.call('ZREVRANGE', key, 0, limit, 'WITHSCORES')
        sources = sources + 1
        for index = 1, #range, 2 do
          places[#places + 1] = {tonumber(range[index + 1]), range[index]}
        end
      end
    end
  end
  if type(members) ~= 'number' or indexed < members or type(counted) == 'table' or tonumber(counted or 0) ~= members then
    return nil
  end
  if sources > 1 then
    table.sort(places, is_before)
  end
  return places
end

-- Returns the page, nil for another case.
local function list_common()
  local limit, max_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
  local is_common = #ARGV == 10 and ARGV[1] == 'recent' and ARGV[6] == '' and ARGV[7] ~= '1' and ARGV[8] ~= '1' and ARGV[9] ~= '1'
  local places = is_common and first_places(ARGV[10], ',' .. ARGV[2] .. ',', limit)
  if not places then
    return nil
  end
  local sessions, bytes, last = {}, 0, 0
  for index = 1, math.min(limit, #places) do
    local micros, id = places[index][1], places[index][2]
    local key = 'session:' .. id
    local text, last_seq = redis.pcall('GETRANGE', key, 0, 1048576), redis.pcall('LLEN', key .. ':messages')
    if type(text) ~= 'string' or #text == 0 or #text > 1048576 or type(last_seq) ~= 'number' then
      return nil
    end
    bytes = bytes + #text
    if index > 1 and bytes > max_bytes then
      break
    end
    local count = last_seq
    if text:find('^{"message_index":"branches"') then
      local stored = redis.pcall('HMGET', 'llmos:branch:' .. id, 'visible', 'count')
      local visible, counted = tonumber(stored[1] or ''), tonumber(stored[2] or '')
      count = visible and counted and math.max(visible + last_seq - counted, 0) or last_seq
    end
    sessions[index], last = {id, text, count, last_seq, micros}, index
  end
  if last > 0 and last < #places then
    return {'page', places[last][1], places[last][2], sessions}
  end
  return {'page', 0, '', sessions}
end
local reply = list_common()
if reply then
  return {charged, reply}
end
