-- Charges the rate limit and returns true. reply.lua charges it before every script.
--
-- KEYS: none
-- ARGV: none
-- Returns true
return true
