-- Has a scope's index forget a session that is gone.
--
-- KEYS: those of the scope's index
-- ARGV: scope, id
forget_member(ARGV[1], ARGV[2])
return true
