-- Removes a deleted session from a scope's index.
local scope, id = unpack(ARGV, 1, 2)
-- KEYS: all keys of the scope's index (shared functions build them from the scope)
-- ARGV: scope, id
-- Returns true
remove_member(scope, id)
return true
