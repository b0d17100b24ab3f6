-- Behind list.lua, where one Redis holds all: indexes what is not indexed yet, and reads the page.
--
-- Returns {'indexing'}, when it must be called again, or
--         {'page', microseconds and id of the next cursor or '', sessions {id, document, count, activity};
--         a count that is nothing says that the messages are none

-- What one call indexes at most, so that nobody waits long for Redis meanwhile.
local MEMBERS_PER_CALL = 500
local BYTES_PER_CALL = 1000000
-- How often a page is put together again because sessions on it turn out to be gone.
local MAX_ATTEMPTS = 20

if with_system == '1' then
  for _, id in ipairs(system_volumes()) do
    local name = 'system:' .. id
    add_scope(name, members_key(name), indexing_key(name))
  end
end

-- Indexes some more of what the Python version wrote; whether that was all. How far it is, is kept in
-- Redis: requests at the same time share the work, and none is lost with one that fails.
local function index_members(scope)
  local found = scan_on(scope, MEMBERS_PER_CALL)
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
        note_volume_of(document)
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
      local count = redis.pcall('LLEN', messages_key(candidate.id))
      count = type(count) == 'number' and count
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
    note_indexed(scope.name, scope.members)
  end
end

local page, all_there
local attempts = 0
repeat
  page, all_there = read_page()
  attempts = attempts + 1
until all_there or attempts == MAX_ATTEMPTS
return page
