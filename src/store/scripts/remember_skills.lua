-- Remembers what the documents of skills say.
--
-- KEYS: what is remembered of the volume's skills
-- ARGV: seconds that it is remembered, then for each skill its id and what is to be remembered
for index = 2, #ARGV, 2 do
  own('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
return redis.call('EXPIRE', KEYS[1], ARGV[1])
