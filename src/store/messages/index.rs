//! Calls of the scripts on messages, which need the message index of a session where it has one.

use redis::{FromRedisValue, Value};

use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::call::Call;
use crate::store::error::{Error, Result};
use crate::store::executor::Executor;
use crate::store::keys::KeyScheme;

/// The maximum number of times that a missing index is rebuilt for one call.
const MAX_REBUILDS: usize = 3;

impl Executor {
    /// Executes a call of a script that starts with `messages.lua`, which has no keys and no arguments of that file yet;
    /// `None` if the session does not exist or the caller may not read it. `further` are its keys behind those.
    ///
    /// Takes one round trip. On a cluster one more for a session that has a message index, whose keys are passed only
    /// then: while a slot moves, Redis rejects calls with keys that do not exist. Rebuilding a lost index takes more.
    pub(in crate::store) async fn execute_on_messages<T: FromRedisValue>(
        &self,
        context: &RequestContext,
        id: &SessionId,
        further: Vec<Vec<u8>>,
        mut call: Call<'_>,
    ) -> Result<Option<T>> {
        let mut with_index = self.scheme() == KeyScheme::Single;
        let mut rebuilds = 0;
        loop {
            let keys = self.scheme().message_keys(id, with_index, further.clone());
            let flag: &[u8] = if with_index { b"1" } else { b"0" };
            call.begin_with(keys, vec![id.as_str().into(), flag.to_vec()]);
            let reply: Value = self.execute(context, &call).await?;
            match case(&reply) {
                Some(b"index") if !with_index => with_index = true,
                Some(b"rebuild") if rebuilds < MAX_REBUILDS => {
                    rebuilds += 1;
                    // On the heap: it is rare, and would make the future of every request larger.
                    Box::pin(self.rebuild_index(context, id)).await?;
                }
                Some(b"index" | b"rebuild") => {
                    return Err(Error::Unreadable(
                        "the index of the messages cannot be rebuilt".to_owned(),
                    ));
                }
                _ => return Ok(Option::from_redis_value(reply)?),
            }
        }
    }
}

/// Returns the first value of a reply, if it names the case.
fn case(reply: &Value) -> Option<&[u8]> {
    match reply {
        Value::Array(values) => match values.first()? {
            Value::BulkString(case) => Some(case),
            _ => None,
        },
        _ => None,
    }
}
