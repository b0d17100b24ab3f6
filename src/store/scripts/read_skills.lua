-- Reads what is remembered and counted of skills.
--
-- KEYS: for each volume what is remembered, and what is counted
-- ARGV: for each volume how many ids follow, and the ids
-- Returns for each id, in order: what is remembered or nothing, how often it was used, how often with success

-- Lua passes fewer than 8,000 values to a function.
local IDS_PER_CALL = 1000

local function prefixed(prefix, ids)
  local fields = {}
  for index, id in ipairs(ids) do
    fields[index] = prefix .. id
  end
  return fields
end

local answer, argument = {}, 1
for volume = 1, #KEYS / 2 do
  local remaining = tonumber(ARGV[argument])
  argument = argument + 1
  while remaining > 0 do
    local ids = {}
    for index = 1, math.min(remaining, IDS_PER_CALL) do
      ids[index] = ARGV[argument]
      argument = argument + 1
    end
    remaining = remaining - #ids
    local remembered = own('HMGET', KEYS[2 * volume - 1], unpack(ids))
    local uses = own('HMGET', KEYS[2 * volume], unpack(prefixed('uses:', ids)))
    local successes = own('HMGET', KEYS[2 * volume], unpack(prefixed('successes:', ids)))
    for index = 1, #ids do
      answer[#answer + 1] = {remembered[index], count_in(uses[index]), count_in(successes[index])}
    end
  end
end
return answer
