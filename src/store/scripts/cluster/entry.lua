-- Reads what a list returns of one session.
local DOC, MSGS = unpack(KEYS)
local id, max_bytes = ARGV[1], tonumber(ARGV[2])
-- KEYS: the document, the messages, the last activity (activity_of builds this key from the id)
-- ARGV: id, maximum bytes of a document to return
-- Returns false if the session is missing, or
--         {document or false, its size, message count and last seq or false if the messages are not a list, microseconds
--         of the last activity or 0, microseconds of the last update and of the creation, bucket, '1' if pinned or '0', id
--         of the system volume or ''}
local text = peek_document(DOC)
if not text then
  return false
end
local document = decode(text)
local count = redis.pcall('LLEN', MSGS)
local last_seq = type(count) == 'number' and count
return {
  #text <= max_bytes and text, #text, last_seq and listed_count(id, text, last_seq), last_seq, activity_of(id),
  parse_time(document.updated_at), parse_time(document.created_at), bucket_of(document),
  is_pinned(document) and '1' or '0', system_volume_of(document)
}
