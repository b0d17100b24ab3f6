//! A decoder of server-sent events over bytes, which may be split anywhere.
//!
//! Of the fields only `event` and `data` matter here. An event that the end of the stream cuts off is dropped.

use std::collections::VecDeque;
use std::mem;

/// The largest event, in bytes, with the line that is being read.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The type; empty if the event has none.
    pub name: String,
    /// The data; several lines are joined by line feeds.
    pub data: String,
}

/// An event is larger than [`MAX_EVENT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {MAX_EVENT_BYTES} bytes")]
pub struct EventTooLarge;

/// The decoder of one stream.
#[derive(Debug, Default)]
pub struct SseDecoder {
    /// The line that has no end yet.
    line: Vec<u8>,
    name: Vec<u8>,
    /// The data of the event, with a line feed after each line.
    data: Vec<u8>,
    has_data: bool,
    /// Whether the last byte was a carriage return, so that a line feed belongs to it.
    is_after_return: bool,
    is_after_first_line: bool,
}

impl SseDecoder {
    /// Reads more of the stream and appends the events that are whole.
    ///
    /// # Errors
    /// If an event is too large. The stream cannot be read any further.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        events: &mut VecDeque<SseEvent>,
    ) -> Result<(), EventTooLarge> {
        while !bytes.is_empty() {
            if mem::take(&mut self.is_after_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let size = self.line.len() + part.len() + self.data.len() + self.name.len();
            if size > MAX_EVENT_BYTES {
                return Err(EventTooLarge);
            }
            self.line.extend_from_slice(part);
            let Some(end) = end else {
                break;
            };
            self.is_after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line(events);
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut VecDeque<SseEvent>) {
        let whole = mem::take(&mut self.line);
        let mut line = whole.as_slice();
        if !mem::replace(&mut self.is_after_first_line, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            events.extend(self.end_event());
        } else {
            self.read_field(line);
        }
        // The allocation serves the next line.
        self.line = whole;
        self.line.clear();
    }

    /// Reads a field. A comment is a field with an empty name.
    fn read_field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = match colon {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = value.to_vec(),
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
                self.has_data = true;
            }
            _ => {}
        }
    }

    fn end_event(&mut self) -> Option<SseEvent> {
        let name = mem::take(&mut self.name);
        let mut data = mem::take(&mut self.data);
        data.pop();
        mem::take(&mut self.has_data).then(|| SseEvent {
            name: text(name),
            data: text(data),
        })
    }
}

/// Returns bytes as text, with replacement characters for malformed UTF-8.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "\u{FEFF}: comment\nevent: one\ndata: é😀\ndata:two\n\ndata\n\nid: 1\nretry:5\nevent:x\n\n\
         data: {\"a\":1}\n\n:\n\nevent: last\ndata:  three\n\ndata: unfinished\n";

    fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
        let mut decoder = SseDecoder::default();
        let mut events = VecDeque::new();
        for part in parts {
            decoder.push(part, &mut events).unwrap();
        }
        let events = events.into_iter();
        events.map(|event| (event.name, event.data)).collect()
    }

    fn expected() -> Vec<(String, String)> {
        [
            ("one", "é😀\ntwo"),
            ("", ""),
            ("", "{\"a\":1}"),
            ("last", " three"),
        ]
        .map(|(name, data)| (name.to_owned(), data.to_owned()))
        .to_vec()
    }

    #[test]
    fn events_are_the_same_for_every_split_and_line_end() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = STREAM.replace('\n', end);
            let bytes = stream.as_bytes();
            assert_eq!(decode([bytes]), expected(), "{end:?}");
            assert_eq!(decode(bytes.chunks(1)), expected(), "{end:?}");
            for at in 0..bytes.len() {
                let (left, right) = bytes.split_at(at);
                assert_eq!(decode([left, right]), expected(), "{end:?} at {at}");
            }
        }
    }

    #[test]
    fn malformed_utf8_becomes_replacement_characters() {
        let events = decode([&b"data: a\xFFb\n\n"[..]]);
        assert_eq!(events[0].1, "a\u{FFFD}b");
    }

    #[test]
    fn event_over_the_limit_is_an_error() {
        let mut events = VecDeque::new();
        let line = [b"data: ", vec![b'a'; 64 * 1024].as_slice(), b"\n"].concat();
        let mut decoder = SseDecoder::default();
        let mut lines = 0;
        while decoder.push(&line, &mut events).is_ok() {
            lines += 1;
            assert!(lines < 20);
        }
        assert_eq!(lines, 15);

        let mut decoder = SseDecoder::default();
        let endless = vec![b':'; MAX_EVENT_BYTES + 1];
        assert_eq!(decoder.push(&endless, &mut events), Err(EventTooLarge));
        assert!(events.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_parts_are_the_same_events(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), any::<u8>()],
                0..200,
            ),
            prefix in "(data: ?|event:|)",
            size in 1_usize..9,
        ) {
            let bytes = [prefix.as_bytes(), &bytes].concat();
            prop_assert_eq!(decode([bytes.as_slice()]), decode(bytes.chunks(size)));
        }
    }
}
