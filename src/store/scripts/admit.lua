-- Does nothing: the count of the caller's requests is all that is wanted.
return true
