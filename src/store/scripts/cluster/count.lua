-- Counts a request, in a slot of its caller.
--
-- KEYS: what the caller's requests are counted under
return count_request()
