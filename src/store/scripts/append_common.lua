-- The common case of append.lua on a single Redis: messages with generated ids at the end of a session without branches,
-- without an Idempotency-Key. All other cases go on with the rest of the script.
--
-- KEYS, ARGV, result: as in append.lua

-- Returns the reply, nil for another case. The first write comes after all checks.
local function append_common()
  local count, fields = tonumber(ARGV[8]), 6
  if repeated or ARGV[4] ~= '' or ARGV[7] ~= '' or #ARGV ~= 8 + fields * count then
    return nil
  end
  for place = 9, #ARGV, fields do
    if ARGV[place] ~= '' or ARGV[place + 3] ~= '' then
      return nil
    end
  end
  local document_key, messages_key = KEYS[1], KEYS[2]
  -- A larger document is not one of this service.
  local document = redis.pcall('GETRANGE', document_key, 0, 32767)
  if type(document) ~= 'string' or #document == 32768 then
    return nil
  end
  -- The members in the order in which documents are created. A string in front of them cannot contain an unescaped quote.
  local volume, volume_id, status = document:match('"volume":"(%l+)","volume_id":"([^"\\]*)","status":"(%l+)","messages":%[%]')
  local scope = volume and volume .. ':' .. volume_id
  local is_own = visible_scopes == '*' or ('\n' .. visible_scopes .. '\n'):find('\n' .. tostring(scope) .. '\n', 1, true)
  local has_bucket = status == 'active' or status == 'paused' or status == 'completed'
  if not is_own or not can_write or volume == 'system' or not has_bucket
      or document:find('"message_index":"branches"', 1, true) or document:find('"archived":true', 1, true) then
    return nil
  end
  local length = redis.pcall('LLEN', messages_key)
  if type(length) ~= 'number' then
    return nil
  end
  local before = false
  if length > 0 then
    local text = redis.call('LINDEX', messages_key, -1)
    before = text:match('^{"id":"([^"\\]+)"') or not text:find('"id"', 1, true) and 'msg_' .. length
    if not before then
      return nil
    end
  end

  local reply, texts = {'appended', length + count, length + count}, {}
  for number = 0, count - 1 do
    local head, rest = ARGV[10 + fields * number], ARGV[11 + fields * number]
    local seq = length + number + 1
    texts[number + 1] = head .. seq .. '"' .. rest
    reply[#reply + 1] = seq
    reply[#reply + 1] = before
    reply[#reply + 1] = false
    before = head:sub(8) .. seq
  end
  redis.call('RPUSH', messages_key, unpack(texts))
  for _, name in ipairs({'all', scope}) do
    local key, id, micros = 'llmos:recent:' .. name .. ':' .. status, ARGV[1], ARGV[3]
    local added = redis.pcall('ZADD', key, 'GT', micros, id)
    if type(added) ~= 'number' then
      redis.call('DEL', key)
      added = redis.call('ZADD', key, micros, id)
    end
    if added == 1 then
      for bucket in ('active paused completed other'):gmatch('%l+') do
        for _, prefix in ipairs({'', 'archived-'}) do
          if prefix .. bucket ~= status then
            redis.pcall('ZREM', 'llmos:recent:' .. name .. ':' .. prefix .. bucket, id)
          end
        end
      end
    end
  end
  return reply
end
local reply = append_common()
if reply then
  return {charged, reply}
end
