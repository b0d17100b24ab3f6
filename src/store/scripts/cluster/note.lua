-- Notes a volume of the system's, so that all callers are shown what is in it.
--
-- KEYS: the ids of the system's volumes
-- ARGV: id
note_system_volume(ARGV[1])
return true
