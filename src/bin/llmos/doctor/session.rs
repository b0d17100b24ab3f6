//! The session checks of `llmos doctor`: a probe session is created, read, listed and deleted by the store's own
//! operations, in a volume that no user has.

use llmos::domain::caller::Caller;
use llmos::domain::message::{MessageSelection, NewMessage};
use llmos::domain::name::Name;
use llmos::domain::request_context::RequestContext;
use llmos::domain::session::{NewSession, SessionId};
use llmos::domain::volume::{Volume, VolumeId, VolumeKind};
use llmos::local::report::Report;
use llmos::store::{Append, Appended, Created, Deleted, ListRequest, Store};
use llmos::util::diagnosis::Diagnosis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CHECK_ADDRESS, same};

/// The messages that are appended, in order.
const CONTENTS: [&str; 2] = ["text, also ünïcödé", "a \"second\" message"];

/// Runs the checks. Without the probe session, the checks that need it are skipped.
pub(super) async fn check(store: &Store, report: &mut Report) {
    let (context, volume) = match probe_caller() {
        Ok(probe) => probe,
        Err(problem) => return report.fail("create session", &problem),
    };
    let id = match create(store, &context, &volume).await {
        Ok(id) => id,
        Err(problem) => {
            report.fail("create session", &problem);
            return report.note("append, read, list and delete are skipped: they need the session");
        }
    };
    report.outcome("create session", Ok(String::new()));
    let appended = append(store, &context, &id).await;
    let expected: &[&str] = if appended.is_ok() { &CONTENTS } else { &[] };
    report.outcome("append messages", appended);
    report.outcome("read session", read(store, &context, &id, expected).await);
    report.outcome("list sessions", list(store, &context, &id, &volume).await);
    let deleted = delete(store, &context, &id).await;
    if deleted.is_err() {
        report.note(&format!("the probe session {id} may remain in {volume}"));
    }
    report.outcome("delete session", deleted);
}

/// Returns a caller whose only volume is new.
fn probe_caller() -> Result<(RequestContext, Volume), Diagnosis> {
    let id = format!("llmos-doctor-{}", Uuid::now_v7().simple());
    let id = VolumeId::try_from(id).map_err(unexpected)?;
    let context = RequestContext::unlimited(Caller::user(id.clone(), Vec::new(), false));
    Ok((context, Volume::new(VolumeKind::User, id)))
}

async fn create(
    store: &Store,
    context: &RequestContext,
    volume: &Volume,
) -> Result<SessionId, Diagnosis> {
    let name = Name::try_from("llmos doctor".to_owned()).map_err(unexpected)?;
    let new = NewSession::new(Some(name), volume.clone());
    match store.create_session(context, new, Vec::new(), None).await? {
        Created::Done(session) => Ok(session.current.session.id),
        other => Err(unexpected(other)),
    }
}

async fn append(
    store: &Store,
    context: &RequestContext,
    id: &SessionId,
) -> Result<String, Diagnosis> {
    let messages: Vec<NewMessage> = CONTENTS
        .iter()
        .map(|content| {
            let message = json!({"role": "user", "content": content}).to_string();
            serde_json::from_str(&message).map_err(unexpected)
        })
        .collect::<Result<_, _>>()?;
    let append = Append {
        messages: &messages,
        ..Append::default()
    };
    match store.append_messages(context, id, append).await? {
        Some(Appended::Done(stored)) => same(&stored.messages.len(), &CONTENTS.len()),
        other => Err(unexpected(other)),
    }
}

async fn read(
    store: &Store,
    context: &RequestContext,
    id: &SessionId,
    expected: &[&str],
) -> Result<String, Diagnosis> {
    let selection = MessageSelection::latest(CONTENTS.len() + 1);
    let found = store.find_messages(context, id, &selection).await?;
    let Some(Some(found)) = found else {
        return Err(missing(id));
    };
    let contents = found.messages.iter().map(|message| {
        let mut text = Vec::new();
        message.write_response(&mut text);
        let message: Value = serde_json::from_slice(&text).unwrap_or_default();
        message["content"].as_str().unwrap_or_default().to_owned()
    });
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    same(&contents.collect(), &expected)
}

async fn list(
    store: &Store,
    context: &RequestContext,
    id: &SessionId,
    volume: &Volume,
) -> Result<String, Diagnosis> {
    let request = ListRequest::latest(Some(volume.clone()), 10);
    let page = store.list_sessions(context, &request).await?;
    let found: Vec<&str> = page
        .sessions
        .iter()
        .map(|session| session.id.as_str())
        .collect();
    same(&found, &vec![id.as_str()])
}

async fn delete(
    store: &Store,
    context: &RequestContext,
    id: &SessionId,
) -> Result<String, Diagnosis> {
    match store.delete_session(context, id, None).await? {
        Some(Deleted::Done) => {}
        Some(other) => return Err(unexpected(other)),
        None => return Err(missing(id)),
    }
    let selection = MessageSelection::latest(1);
    let found = store.find_messages(context, id, &selection).await?;
    same(&found.is_some(), &false)
}

fn missing(id: &SessionId) -> Diagnosis {
    Diagnosis {
        cause: format!("the session {id} was stored and is missing"),
        remedy: CHECK_ADDRESS,
    }
}

fn unexpected(result: impl std::fmt::Debug) -> Diagnosis {
    Diagnosis {
        cause: format!("unexpected result {result:?}"),
        remedy: CHECK_ADDRESS,
    }
}
