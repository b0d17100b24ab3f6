-- Registers a system volume, so that all callers may read its sessions.
--
-- KEYS: the ids of the system volumes (the shared function names this key itself)
-- ARGV: id
-- Returns true
add_system_volume(ARGV[1])
return true
