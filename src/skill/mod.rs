//! Skills: their ids, what their documents say, and how documents are read and written. No I/O.
