//! Pages of messages in replies: parts of consecutive messages, and the versions beside them.

use std::collections::HashMap;

use crate::domain::message::Message;

/// Consecutive messages: the `seq` of the first one, the id of its parent, and the texts.
pub(in crate::store) type Part = (u64, Option<String>, Vec<Vec<u8>>);

/// Returns the messages of a page. `versions` has the versions of messages by `seq`.
pub(in crate::store) fn read_page(parts: Vec<Part>, versions: Vec<(u64, String)>) -> Vec<Message> {
    let mut versions: HashMap<u64, String> = versions.into_iter().collect();
    let mut messages = Vec::with_capacity(parts.iter().map(|part| part.2.len()).sum());
    for (first, parent_id, texts) in parts {
        let mut parent = parent_id;
        for (seq, text) in (first..).zip(texts) {
            let message = Message::from_stored(text, seq).with_parent(parent);
            parent = Some(message.id().into_owned());
            let siblings = versions.remove(&seq).map(|versions| ids_of(&versions));
            messages.push(match siblings {
                Some(siblings) => message.with_siblings(siblings),
                None => message,
            });
        }
    }
    messages
}

/// Returns the id of a stored message.
pub(in crate::store) fn id_in(text: &[u8], seq: u64) -> String {
    Message::from_stored(text.to_vec(), seq).id().into_owned()
}

/// Returns the ids of versions, which are `seq:id`, separated by blanks.
pub(in crate::store) fn ids_of(versions: &str) -> Vec<String> {
    let ids = versions
        .split(' ')
        .filter_map(|version| Some(version.split_once(':')?.1.to_owned()));
    ids.collect()
}
