-- Moves a session to its place in the index, which differs because another program changed the document.
local DOC = unpack(KEYS)
local id = ARGV[1]
-- KEYS: the document, the messages
-- ARGV: id
-- Returns true
local text = peek_document(DOC)
if text then
  local document = decode(text)
  local bucket = bucket_of(document)
  for _, scope in ipairs(scopes_of(document)) do
    local activity = indexed_activity(scope, id) or activity_of(id)
    call_own_type('ZADD', recent_key(scope, bucket), 'GT', activity, id)
    remove_from_buckets(scope, id, bucket)
  end
end
return true
