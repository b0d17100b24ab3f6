//! Sample sessions, which reads return while Redis is missing or unavailable.

use chrono::DateTime;
use once_cell::sync::Lazy;
use serde_json::value::RawValue;

use crate::domain::caller::Caller;
use crate::domain::message::{Message, MessageRange, MessageSelection};
use crate::domain::session::{
    Session, SessionAndVersion, SessionId, SessionWithMessages, Status, TitleSource,
};
use crate::domain::session_filter::{SortKey, SortOrder};
use crate::domain::tag::Tags;
use crate::domain::volume::VolumeKind;
use crate::store::{Cursor, ListRequest, SessionPage};

/// A sample session with all of its messages.
struct Sample {
    session: Session,
    messages: Vec<Message>,
}

/// The samples, latest activity first.
static SAMPLES: Lazy<Vec<Sample>> = Lazy::new(|| {
    vec![
        sample(
            "sess_quantum_research",
            "Quantum Research",
            (VolumeKind::User, Status::Active, 3),
            r#"{"project":"qiskit-studio"}"#,
            ("2025-12-13T10:00:00Z", "2025-12-13T10:30:00Z"),
            &[
                r#"{"id":"msg_1","role":"user","content":"Create a quantum circuit with 3 qubits","timestamp":"2025-12-13T10:00:00Z"}"#,
                r#"{"id":"msg_2","role":"assistant","content":"I'll create a quantum circuit with 3 qubits using Qiskit.","timestamp":"2025-12-13T10:00:05Z","traces":[1,2,3],"artifacts":["quantum_circuit.py","circuit_diagram.png"]}"#,
            ],
        ),
        sample(
            "sess_data_analysis",
            "Data Analysis Pipeline",
            (VolumeKind::Team, Status::Paused, 5),
            r#"{"team":"analytics"}"#,
            ("2025-12-12T14:00:00Z", "2025-12-12T16:00:00Z"),
            &[
                r#"{"id":"msg_1","role":"user","content":"Analyze sales data from Q4","timestamp":"2025-12-12T14:00:00Z"}"#,
            ],
        ),
    ]
});

/// Returns the sample with this id, and at most `limit` of its messages.
pub(in crate::service) fn find_session(
    caller: &Caller,
    id: &SessionId,
    selection: &MessageSelection,
) -> Option<SessionWithMessages> {
    let MessageSelection { range, limit, .. } = *selection;
    let sample = SAMPLES
        .iter()
        .find(|sample| sample.session.id == *id && sample.session.is_readable_by(caller))?;
    let is_wanted = |message: &&Message| match range {
        MessageRange::Latest => true,
        MessageRange::After(after) => message.seq() > after,
        MessageRange::Before(before) => message.seq() < before,
        MessageRange::Between(after, before) => message.seq() > after && message.seq() < before,
    };
    let wanted: Vec<Message> = sample.messages.iter().filter(is_wanted).cloned().collect();
    let surplus = wanted.len().saturating_sub(limit);
    let messages = match range {
        MessageRange::Latest | MessageRange::Before(_) => wanted[surplus..].to_vec(),
        MessageRange::After(_) | MessageRange::Between(..) => {
            wanted[..wanted.len() - surplus].to_vec()
        }
    };
    Some(SessionWithMessages {
        current: SessionAndVersion {
            session: sample.session.clone(),
            version: "sample".to_owned(),
        },
        messages,
        has_more: surplus > 0,
    })
}

/// Returns the samples that match `request`.
pub(in crate::service) fn list_sessions(caller: &Caller, request: &ListRequest) -> SessionPage {
    let is_listed = |session: &&Session| {
        let volume = request.volume.as_ref().is_none_or(|volume| {
            session.volume == volume.kind && session.volume_id == volume.id.as_str()
        });
        volume && request.filter.matches(session) && session.is_readable_by(caller)
    };
    let mut listed: Vec<&Session> = SAMPLES
        .iter()
        .map(|sample| &sample.session)
        .filter(is_listed)
        .collect();
    listed.sort_by_key(|session| position(request, session));
    let is_descending = request.order == SortOrder::Desc;
    if is_descending {
        listed.reverse();
    }
    let total = request.with_total.then_some(listed.len() as u64);
    listed.retain(|session| {
        request.cursor.as_ref().is_none_or(|cursor| {
            let (position, cursor) = (
                position(request, session),
                (cursor.micros, cursor.id.clone()),
            );
            position != cursor && (position < cursor) == is_descending
        })
    });
    let sessions: Vec<Session> = listed
        .iter()
        .take(request.limit)
        .copied()
        .cloned()
        .collect();
    let next = match sessions.last() {
        Some(last) if listed.len() > sessions.len() => {
            let (micros, id) = position(request, last);
            Some(Cursor { micros, id })
        }
        _ => None,
    };
    SessionPage {
        sessions,
        unreadable: Vec::new(),
        next,
        total,
    }
}

/// Returns the time and the id that order a session.
fn position(request: &ListRequest, session: &Session) -> (i64, Vec<u8>) {
    let time = match request.sort {
        SortKey::Updated => &session.updated_at,
        SortKey::Created => &session.created_at,
    };
    let time = DateTime::parse_from_rfc3339(time).map_or(0, |time| time.timestamp_micros());
    (time, session.id.as_str().into())
}

fn sample(
    id: &str,
    name: &str,
    (volume, status, traces_count): (VolumeKind, Status, u64),
    metadata: &str,
    (created_at, updated_at): (&str, &str),
    messages: &[&str],
) -> Sample {
    let messages: Vec<Message> = (1..)
        .zip(messages)
        .map(|(seq, text)| {
            let parent = (seq > 1).then(|| format!("msg_{}", seq - 1));
            Message::from_stored(text.as_bytes().to_vec(), seq).with_parent(parent)
        })
        .collect();
    Sample {
        session: Session {
            id: SessionId::parse(id).expect("a sample's id is an id"),
            name: name.to_owned(),
            volume,
            volume_id: "default".to_owned(),
            status: status.as_str().to_owned(),
            metadata: RawValue::from_string(metadata.to_owned())
                .expect("a sample's metadata is JSON"),
            traces_count,
            message_count: messages.len() as u64,
            last_seq: messages.len() as u64,
            created_at: created_at.to_owned(),
            updated_at: updated_at.to_owned(),
            title_source: TitleSource::Client,
            pinned: false,
            archived: false,
            tags: Tags::default(),
            active_turn: None,
            forked_from: None,
        },
        messages,
    }
}
