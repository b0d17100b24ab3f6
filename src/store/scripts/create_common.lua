-- The common case of create.lua on a single Redis: a generated id, without an Idempotency-Key, in the volume of a user or
-- team. All other cases go on with the rest of the script.
--
-- KEYS, ARGV, result: as in create.lua

-- Runs a command on a key of the index, whose value is deleted if it has another type: it can be rebuilt.
local function call_index(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'number' then
    redis.call('DEL', key)
    reply = redis.call(command, key, ...)
  end
  return reply
end

-- Returns the reply, nil for another case.
local function create_common()
  local id, document, micros, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[6])
  if repeated or #KEYS ~= 5 or ARGV[7] ~= '' or #ARGV ~= 8 + count or count > 1000 then
    return nil
  end
  -- The members in the order in which documents are created. A string in front of them cannot contain an unescaped quote.
  local volume, volume_id, status = document:match('"volume":"(%l+)","volume_id":"([^"\\]*)","status":"(%l+)","messages":%[%]')
  if volume ~= 'user' and volume ~= 'team' or document:find('"archived":true', 1, true) or document:find('"pinned":true', 1, true) then
    return nil
  end
  -- Another program may have written another type.
  local all, own = redis.pcall('SADD', KEYS[4], id), redis.pcall('SADD', KEYS[5], id)
  if type(all) ~= 'number' or type(own) ~= 'number' then
    -- Without memory no member is added. A removal would count as a write, after which Redis accepts all others.
    if all == 1 then
      redis.pcall('SREM', KEYS[4], id)
    end
    if own == 1 then
      redis.pcall('SREM', KEYS[5], id)
    end
    return nil
  end
  redis.call('SET', KEYS[1], document)
  if count > 0 then
    redis.call('RPUSH', KEYS[2], unpack(ARGV, 9))
  end
  for _, scope in ipairs({'all', volume .. ':' .. volume_id}) do
    call_index('INCRBY', 'llmos:indexed:' .. scope, 1)
    call_index('ZADD', 'llmos:recent:' .. scope .. ':' .. status, micros, id)
    call_index('ZADD', 'llmos:created:' .. scope, micros, id)
  end
  return {'created'}
end
local reply = create_common()
if reply then
  return {charged, reply}
end
