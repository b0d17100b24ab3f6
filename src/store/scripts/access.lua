-- Access of the caller to a session.

-- Returns the text of a session that the caller may have access to, as peek_document does.
local function peek_own_document(id, key)
  if visible_scopes ~= '*' then
    local size = redis.pcall('STRLEN', key)
    local is_large = type(size) == 'number' and size > MAX_ACCESS_CHECK_BYTES
    if is_large and not may_belong_to_caller(id, key) then
      return nil
    end
  end
  return peek_document(key)
end

-- Returns whether a session belongs to the caller, by the volume in its document. If the document has no volume,
-- membership in the caller's volume sets decides, so that its owner gets "unreadable" instead of 404.
local function is_own(id, document)
  local scope = scopes_of(document)[2]
  if scope then
    return is_visible(scope)
  end
  return is_in_own_set(id)
end

-- Returns the access of the caller to a session: 'write', 'read', or nil.
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
  return can_write and 'write' or 'read'
end

-- Returns the document of a session and the access of the caller to it; nil if the caller may not read such a session.
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

-- Returns the last activity of a session as text.
local function activity_text(id)
  return string.format('%.0f', activity_of(id))
end
