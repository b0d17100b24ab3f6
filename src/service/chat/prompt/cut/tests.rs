use serde_json::json;

use super::super::tests::{history, part_text, texts, user};
use super::super::{Conversation, FileKind, FileSource, Files};
use crate::provider::request::FileData;

#[test]
fn files_are_sent_where_the_model_takes_them_and_named_elsewhere() {
    let file = |media_type: &str, url: &str| json!({"type": "file", "mediaType": media_type, "url": url, "filename": "n"});
    let parts = json!([
        file("image/png", "data:image/png;base64,AAAA"),
        file("application/pdf", "https://example.com/a.pdf"),
        file("image/jpeg", "/api/files/user/a.jpg"),
        file("text/plain", "data:text/plain,hello"),
    ]);
    let messages = history(&[json!({"role": "user", "parts": parts})]);
    let conversation = Conversation::new(&messages);
    let sources: Vec<&FileSource> = conversation
        .files()
        .into_iter()
        .map(|file| &file.source)
        .collect();
    let expected = [
        FileSource::Inline("AAAA".to_owned()),
        FileSource::Web("https://example.com/a.pdf".to_owned()),
        FileSource::Path("/api/files/user/a.jpg".to_owned()),
        FileSource::Path("data:text/plain,hello".to_owned()),
    ];
    assert_eq!(sources, expected.iter().collect::<Vec<_>>());
    let path = "/api/files/user/a.jpg".to_owned();
    let files = Files::from([(path, FileData::Base64("BBBB".to_owned()))]);
    let found = |kinds: &[FileKind]| {
        texts(&conversation.clone().into_messages(kinds, &files))
            .remove(0)
            .1
    };
    let named = |media_type: &str| format!("[File n, {media_type}; its content is not available]");
    let both = [
        "image/png AAAA".to_owned(),
        named("application/pdf"),
        "image/jpeg BBBB".to_owned(),
        named("text/plain"),
    ];
    assert_eq!(found(&[FileKind::Image, FileKind::Pdf]), both);
    let none = ["image/png", "application/pdf", "image/jpeg", "text/plain"].map(named);
    assert_eq!(found(&[]), none);
}

#[test]
fn history_is_cut_by_whole_turns_from_the_old_end() {
    let long = "x".repeat(4_000);
    let call = json!({"type": "tool-f", "toolCallId": "a", "state": "output-available", "input": {}, "output": long});
    let messages = [
        user(&long),
        json!({"role": "assistant", "parts": [call]}),
        user("second"),
        json!({"role": "assistant", "content": long}),
        user(&long),
    ];
    let conversation = Conversation::new(&history(&messages));
    assert!((3_000..5_000).contains(&conversation.tokens()));
    let cut = |room: usize| {
        let mut conversation = conversation.clone();
        let count = conversation.cut(room);
        let messages = conversation.into_messages(&[], &Files::new());
        let first = part_text(&messages[0].parts[0]);
        (
            count,
            messages.len(),
            first.chars().take(6).collect::<String>(),
        )
    };
    assert_eq!(cut(100_000), (0, 5, "xxxxxx".to_owned()));
    assert_eq!(cut(3_900), (2, 3, "second".to_owned()));
    assert_eq!(cut(1_500), (4, 1, "xxxxxx".to_owned()));
    assert_eq!(cut(0), (4, 1, "xxxxxx".to_owned()));
    let mut empty = Conversation::new(&[]);
    assert_eq!(empty.cut(0), 0);
    assert!(empty.into_messages(&[], &Files::new()).is_empty());
}

#[test]
fn ends_of_this_and_the_last_request_are_stable() {
    let messages = [
        user("a"),
        json!({"role": "assistant", "content": "b"}),
        user("c"),
    ];
    let messages = Conversation::new(&history(&messages)).into_messages(&[], &Files::new());
    let stable: Vec<bool> = messages.iter().map(|message| message.is_stable).collect();
    assert_eq!(stable, [true, false, true]);
}
