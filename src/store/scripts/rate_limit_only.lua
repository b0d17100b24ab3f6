-- Does nothing else: every call charges the rate limit, and this call has no other purpose.
--
-- KEYS: none
-- ARGV: none
-- Returns true
return true
