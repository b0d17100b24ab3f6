-- Notes a volume of the system's, so that all callers are shown what is in it.
--
-- KEYS: the ids of the system's volumes
-- ARGV: id
if own('SCARD', KEYS[1]) < MAX_SYSTEM_VOLUMES then
  redis.call('SADD', KEYS[1], ARGV[1])
end
return true
