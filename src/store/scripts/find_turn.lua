-- Reads the turn of a session, after checking the caller's access.
-- KEYS: as in messages.lua, then the turn
-- ARGV: as in messages.lua, current time in milliseconds
-- Returns false, {'none'}, or {'turn', current time in milliseconds, the fields of the turn and their values}

local function find()
  local document = find_document(id, DOC)
  if not document then
    return false
  end
  local fields = call_own_type('HGETALL', KEYS[FURTHER_KEYS])
  if #fields == 0 then
    return {'none'}
  end
  local now = math.floor((clock() or tonumber(ARGV[3]) * 1000) / 1000)
  return {'turn', now, fields}
end

return run(find)
