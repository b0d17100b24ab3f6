//! `/api/chat`: a model answers; its answer is stored once, streamed, read again and stopped.

mod answers;
mod app;
mod dead;
mod operations;
mod original;
mod resume;
mod stop;
mod tools;
mod turns;
