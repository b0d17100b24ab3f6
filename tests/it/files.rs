//! Files: put, got, listed and deleted over HTTP, in every shape that callers and storage can have.
