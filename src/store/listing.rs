//! Listing sessions by their last activity, a page at a time.

use redis::Cmd;
use serde::{Deserialize, Serialize};

use super::Store;
use super::document::State;
use super::error::Result;
use super::keys::{self, Names};
use super::script::{self, Reply, unknown_reply};
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{Session, SessionId, Status};
use crate::domain::volume::{Volume, VolumeKind};
use crate::util::python_json;

/// Where a page of sessions ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last session's activity, in microseconds since 1970.
    #[serde(rename = "m")]
    pub micros: i64,
    /// The last session's id, which is no text where another program wrote it.
    #[serde(rename = "i", with = "id_bytes")]
    pub id: Vec<u8>,
}

/// An id as text, or, where it is none, as the numbers of its bytes.
mod id_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(id) {
            Ok(text) => text.serialize(serializer),
            Err(_) => id.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Id {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(match Id::deserialize(deserializer)? {
            Id::Text(text) => text.into_bytes(),
            Id::Bytes(bytes) => bytes,
        })
    }
}

/// Which sessions are asked for.
#[derive(Debug)]
pub struct ListRequest {
    /// The sessions of one volume, or all that the caller may see.
    pub volume: Option<Volume>,
    /// Only those with this status.
    pub status: Option<Status>,
    /// How many at most.
    pub limit: usize,
    /// Only those that stand after this place.
    pub cursor: Option<Cursor>,
}

impl ListRequest {
    /// Puts what is asked for into a call of `list.lua`, behind its keys; the scopes follow.
    pub(super) fn add_to(&self, call: &mut Cmd, with_system: bool) {
        let (micros, id) = match &self.cursor {
            Some(cursor) => (cursor.micros, &*cursor.id),
            None => (0, &b""[..]),
        };
        call.arg(self.status.map_or("", Status::as_str))
            .arg(self.limit)
            .arg(MAX_PAGE_BYTES)
            .arg(micros)
            .arg(id)
            .arg(u8::from(with_system));
    }
}

/// A page of sessions, latest activity first.
#[derive(Debug)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Ids of those that belong here but are not what we or the Python version store.
    pub unreadable: Vec<String>,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
}

impl Store {
    /// Lists sessions, latest activity first.
    ///
    /// One round trip, and one more for every 500 sessions or megabyte that the Python version wrote and
    /// nobody has listed yet. On a cluster see there.
    pub async fn list_sessions(
        &self,
        context: &RequestContext,
        request: &ListRequest,
    ) -> Result<SessionPage> {
        let (scopes, with_system) = scopes(context, request);
        let connection = self.connection()?;
        let names = connection.names();
        if names == Names::Tagged {
            return connection
                .list_in_steps(context, request, &scopes, with_system)
                .await;
        }
        loop {
            let mut reply: Reply = connection
                .script(&script::LIST, context, |call, _| {
                    call.arg(2 * scopes.len());
                    for scope in &scopes {
                        call.arg(names.members(scope)).arg(names.indexing(scope));
                    }
                    request.add_to(call, with_system);
                    call.arg(&scopes);
                })
                .await?;
            match reply.next::<String>()?.as_str() {
                "indexing" => {}
                "page" => return read_page(context, reply),
                other => return Err(unknown_reply(other)),
            }
        }
    }
}

/// The scopes that hold what is asked for, and whether the system's other volumes are to be added.
fn scopes(context: &RequestContext, request: &ListRequest) -> (Vec<String>, bool) {
    match (&request.volume, context.caller.volumes()) {
        (Some(volume), _) => (vec![keys::scope(volume)], false),
        (None, None) => (vec![keys::ALL.to_owned()], false),
        (None, Some(own)) => (own.iter().map(keys::scope).collect(), true),
    }
}

/// Id, document, message count, which is nothing where the messages are none, and activity.
type Entry = (Vec<u8>, Vec<u8>, Option<u64>, i64);

fn read_page(context: &RequestContext, mut reply: Reply) -> Result<SessionPage> {
    let (micros, id): (i64, Vec<u8>) = (reply.next()?, reply.next()?);
    let entries: Vec<Entry> = reply.next()?;
    let mut page = SessionPage {
        sessions: Vec::with_capacity(entries.len()),
        unreadable: Vec::new(),
        next: (!id.is_empty()).then_some(Cursor { micros, id }),
    };
    for (id, document, message_count, activity) in entries {
        let state = State {
            // What is no text is no document.
            document: String::from_utf8(document).unwrap_or_default(),
            message_count: message_count.unwrap_or(0),
            activity,
        };
        page.add(context, &id, &state, message_count.is_some());
    }
    Ok(page)
}

impl SessionPage {
    /// Adds what an index holds, unless the caller may not see it.
    pub(super) fn add(
        &mut self,
        context: &RequestContext,
        id: &[u8],
        state: &State,
        has_messages: bool,
    ) {
        match read_entry(id, state) {
            // What an index says is not looked at where the session itself says otherwise.
            Some(session) if !session.is_readable_by(&context.caller) => {}
            Some(session) if has_messages => self.sessions.push(session),
            None if says_it_is_anothers(&state.document, context) => {}
            _ => self
                .unreadable
                .push(String::from_utf8_lossy(id).into_owned()),
        }
    }
}

fn read_entry(id: &[u8], state: &State) -> Option<Session> {
    let id = SessionId::parse(std::str::from_utf8(id).ok()?)?;
    state.session(id).ok()
}

/// Whether a document that is no session names a volume that the caller may not see.
fn says_it_is_anothers(document: &str, context: &RequestContext) -> bool {
    #[derive(Deserialize)]
    struct Place {
        volume: String,
        volume_id: String,
    }
    python_json::parse::<Place>(document.as_bytes()).is_ok_and(|place| {
        match VolumeKind::try_from(place.volume) {
            Ok(volume) => !context.caller.can_read_raw(volume, &place.volume_id),
            // A volume that there is not is nobody's, as it is where the session is asked for by its id.
            Err(_) => context.caller.volumes().is_some(),
        }
    })
}
