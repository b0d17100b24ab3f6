-- Reads what a list shows of a session.
--
-- KEYS: the document, the messages, the last activity
-- ARGV: id, most bytes that the document may have to be answered
-- Returns nothing where it is gone, or {document or nothing, its size, message count or nothing where the messages
--         are none, microseconds of the last activity: 0 where they are not known, of its last update, bucket, the
--         system's volume or ''}
local id, max_bytes = ARGV[1], tonumber(ARGV[2])
local text = peek_document(KEYS[1])
if not text then
  return false
end
local document = decode(text)
local count = redis.pcall('LLEN', KEYS[2])
return {
  #text <= max_bytes and text, #text, type(count) == 'number' and count, activity_of(id),
  parse_time(document.updated_at), bucket_of(document), system_volume_of(document)
}
