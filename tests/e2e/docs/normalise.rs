//! The comparison of an output with the documentation.

/// Replaces values that differ between runs by `*`.
pub fn normalise(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.starts_with("date: "));
    let lines = lines.map(|line| match line.starts_with("last-modified: ") {
        true => "last-modified: *",
        false => line,
    });
    let mut normal = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    for label in [
        "dur=",
        "content-length: ",
        "\"milliseconds\":",
        "valid_until=",
    ] {
        normal = normal
            .split(label)
            .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
            .collect::<Vec<_>>()
            .join(&format!("{label}*"));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    let mut rest = normal.as_str();
    let mut result = String::new();
    while let Some(start) = rest.find(is_word) {
        let word = &rest[start..];
        let word = &word[..word.find(|c| !is_word(c)).unwrap_or(word.len())];
        result.push_str(&rest[..start]);
        result.push_str(&normal_word(word));
        rest = &rest[start + word.len()..];
    }
    result + rest
}

fn normal_word(word: &str) -> String {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if let Some((kind, id)) = word.split_once('_')
        && ["sess", "msg", "req", "turn"].contains(&kind)
    {
        // The id of a message ends with its seq.
        match id.split_once('-') {
            Some((unique, seq)) if is_hex(unique, 32) => return format!("{kind}_*-{seq}"),
            None if is_hex(id, 32) => return format!("{kind}_*"),
            _ => {}
        }
    }
    // The time and the turn follow.
    if let Some(trace) = word.strip_prefix("trace_")
        && trace.starts_with(|c: char| c.is_ascii_digit())
    {
        return "trace_*".to_owned();
    }
    // The id of an answer.
    if let Some(id) = word.strip_prefix("msg-")
        && is_hex(id, 32)
    {
        return "msg-*".to_owned();
    }
    if let Some((hash, count)) = word.split_once('-')
        && is_hex(hash, 16)
    {
        // The time of the last activity follows.
        let count = count.split('-').next().unwrap_or_default();
        return format!("*-{count}");
    }
    // Times of the server have a fraction; times in requests have none.
    let is_our_time = word.ends_with('Z') && word.contains("T") && word.contains('.');
    match word {
        _ if is_our_time => "*Z".to_owned(),
        // A cursor or a signature: no other word is this long.
        _ if word.len() > 60 => "*".to_owned(),
        _ => word.to_owned(),
    }
}

#[test]
fn comparison_ignores_only_values_that_differ_between_runs() {
    let check = |text: &str, expected: &str| assert_eq!(normalise(text), expected);
    check("\"sess_01a2065254e075efb843a48d0fd54787\"", "\"sess_*\"");
    check("sess_quantum_research", "sess_quantum_research");
    check("etag: \"ead5697468ff48e7-5\"", "etag: \"*-5\"");
    check(
        "\"2026-11-23T02:53:08.704686Z\" 2025-12-14T10:00:00Z",
        "\"*Z\" 2025-12-14T10:00:00Z",
    );
    check(
        "redis;desc=\"1 round trip\";dur=0.5, total;dur=2\r",
        "redis;desc=\"1 round trip\";dur=*, total;dur=*",
    );
    check("turn_01a2065254e075efb843a48d0fd54787", "turn_*");
    check("trace_20261130_155000_turn_1", "trace_*");
    check("trace_id", "trace_id");
    check("msg-01a2065254e075efb843a48d0fd54787", "msg-*");
    check("\"message_count\":12,", "\"message_count\":12,");
}
