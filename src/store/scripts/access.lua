-- What a caller may do with a session.

-- The text of a session that the caller may have something to do with, as peek_document has it.
local function peek_own_document(id, key)
  if visible_scopes ~= '*' then
    local size = redis.pcall('STRLEN', key)
    local is_large = type(size) == 'number' and size > MAX_JUDGED_BYTES
    if is_large and not may_concern_caller(id, key) then
      return nil
    end
  end
  return peek_document(key)
end

-- Whether a session belongs to the caller, by the volume that its document says. Where it says none, by the
-- sets of the volumes: somebody has to be told that it is not readable.
local function is_own(id, document)
  local scope = scopes_of(document)[2]
  if scope then
    return is_visible(scope)
  end
  return is_in_own_set(id)
end

-- What the caller may do with a session: 'write', 'read', or nothing.
local function access_to(id, text)
  if visible_scopes ~= '*' then
    local document = decode(text)
    if document.volume == 'system' then
      return 'read'
    end
    if not is_own(id, document) then
      return nil
    end
  end
  return may_change and 'write' or 'read'
end

-- A session that was asked for by its id, and what the caller may do with it; nothing where there is none
-- that the caller may see.
local function find_document(id, key)
  local text = peek_own_document(id, key)
  local access = text and access_to(id, text)
  if not access then
    return nil
  end
  if text == '' then
    error('UNREADABLE the document is not a string of at most 1 MB')
  end
  return text, access
end
