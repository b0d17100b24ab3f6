-- Behind list.lua, on a cluster: which sessions come next in one scope, or which of its set are not indexed yet.
--
-- KEYS: those of the scope's index
-- Returns {'unindexed', where to go on, ids}, or {'candidates', {id, microseconds, bucket} one more than asked for}

-- How many members one go indexes at most: each is asked for in its own slot.
local MEMBERS_PER_CALL = 100

local scope = scopes[1]
if not is_indexed(scope) then
  local found = scan_on(scope, MEMBERS_PER_CALL)
  local ids = {}
  for _, id in ipairs(found[2]) do
    if not indexed_activity(scope.name, id) then
      ids[#ids + 1] = id
    end
  end
  return {'unindexed', found[1], ids}
end
local candidates = {}
for index, candidate in ipairs(candidates_after_cursor()) do
  candidates[index] = {candidate.id, candidate.micros, candidate.bucket}
end
return {'candidates', candidates}
