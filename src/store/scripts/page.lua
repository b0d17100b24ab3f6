-- End of list.lua on a single Redis: indexes members that are not indexed yet, then reads the page.
--
-- KEYS, ARGV: as in list.lua
-- Returns {'indexing'} if the script must be called again, {'too-many'} if there are more pinned sessions than the limit,
--         or {'page', microseconds and id of the next cursor or '', sessions {id, document, message count, last seq,
--         activity, and microseconds of the creation if they are the order}, the number of sessions in the buckets if it
--         is wanted}; message count and last seq are false if the messages are not a list

-- Maximum that one call indexes, so that other requests do not wait long.
local MEMBERS_PER_CALL = 500
local BYTES_PER_CALL = 1000000
-- Maximum number of times that a page is read again because sessions on it are missing.
local MAX_ATTEMPTS = 20

if with_system == '1' then
  for _, id in ipairs(system_volumes()) do
    local name = 'system:' .. id
    add_scope(name, members_key(name), indexing_key(name))
  end
end

-- Indexes more sessions of the Python version; returns whether all are indexed. Redis stores the position, so that
-- concurrent requests share the work and a failed request loses none of it.
local function index_members(scope)
  local found = scan_members(scope, MEMBERS_PER_CALL)
  local bytes = 0
  for _, id in ipairs(found[2]) do
    if not contains(scope, id) then
      if bytes > BYTES_PER_CALL then
        return false
      end
      local text = peek_document(document_key(id))
      if text then
        bytes = bytes + #text
        local document = decode(text)
        add_volume_of(document)
        if not is_recent(scope, id) then
          call_own_type('ZADD', recent_key(scope.name, bucket_of(document)), parse_time(document.updated_at), id)
        end
        put_details(scope.name, id, parse_time(document.created_at), is_pinned(document))
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

-- Returns a page, and whether all of its sessions exist. Sessions that the Python version deleted leave the index.
local function read_page()
  local candidates = candidates_after_cursor()
  if not candidates then
    return {'too-many'}, true
  end
  local sessions, bytes, last, is_complete = {}, 0, nil, true
  for index = 1, math.min(limit, #candidates) do
    local candidate = candidates[index]
    local key = document_key(candidate.id)
    local text = peek_document(key)
    if text then
      bytes = bytes + #text
      if #sessions > 0 and bytes > max_bytes then
        if source_name == 'pinned' then
          return {'too-many'}, true
        end
        break
      end
      local count = redis.pcall('LLEN', messages_key(candidate.id))
      local last_seq = type(count) == 'number' and count
      count = last_seq and listed_count(candidate.id, text, last_seq)
      if source_name == 'created' then
        local activity = indexed_activity(candidate.scope, candidate.id) or 0
        sessions[#sessions + 1] = {candidate.id, text, count, last_seq, activity, candidate.micros}
      else
        sessions[#sessions + 1] = {candidate.id, text, count, last_seq, candidate.micros}
      end
    else
      redis.call(source_name == 'pinned' and 'SREM' or 'ZREM', candidate.key, candidate.id)
      is_complete = false
    end
    last = index
  end
  if last and last < #candidates then
    local cursor = candidates[last]
    return {'page', cursor.micros, cursor.id, sessions}, is_complete
  end
  return {'page', 0, '', sessions}, is_complete
end

for _, scope in ipairs(scopes) do
  if must_index(scope) then
    if not index_members(scope) then
      return {'indexing'}
    end
    set_indexed(scope.name, scope.members)
    if source_name ~= 'recent' then
      set_complete(scope.name, scope.members)
    end
    if lacks_details(scope) then
      return {'indexing'}
    end
  end
end

local page, is_complete
local attempts = 0
repeat
  page, is_complete = read_page()
  attempts = attempts + 1
until is_complete or attempts == MAX_ATTEMPTS
if with_total then
  page[5] = 0
  for _, scope in ipairs(scopes) do
    page[5] = page[5] + count_sessions(scope)
  end
end
return page
