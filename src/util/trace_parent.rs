//! The `traceparent` header of W3C Trace Context.

/// The length of version `00`: `version-trace_id-parent_id-flags`.
const LENGTH: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// The trace of the caller, and the caller's span in it, both as lowercase hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The id of the trace: 32 digits.
    pub trace_id: String,
    /// The id of the caller's span: 16 digits.
    pub span_id: String,
}

impl TraceParent {
    /// Parses the value of a `traceparent` header. Returns `None` if it is malformed: section 3.2.2 requires that
    /// such a header is ignored.
    ///
    /// A version above `00` may append fields after a hyphen (section 3.2.2.3). Version `ff` is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.split_at_checked(LENGTH)?;
        let mut fields = head.split('-');
        let version = fields
            .next()
            .filter(|text| is_hex(text, 2) && *text != "ff")?;
        let trace_id = fields.next().filter(|text| is_id(text, 32))?;
        let span_id = fields.next().filter(|text| is_id(text, 16))?;
        fields.next().filter(|text| is_hex(text, 2))?;
        let is_end_valid = rest.is_empty() || (version != "00" && rest.starts_with('-'));
        (is_end_valid && fields.next().is_none()).then(|| Self {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
        })
    }
}

/// Returns whether `text` is a valid id. All zeros are invalid.
fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn well_formed_header_is_parsed() {
        let expected = TraceParent {
            trace_id: TRACE.to_owned(),
            span_id: SPAN.to_owned(),
        };
        for text in [
            format!("00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-00"),
            format!("cc-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"),
        ] {
            assert_eq!(
                TraceParent::parse(&text).as_ref(),
                Some(&expected),
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_header_is_ignored() {
        let (no_trace, no_span) = ("0".repeat(32), "0".repeat(16));
        let upper = TRACE.to_uppercase();
        for text in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{no_trace}-{SPAN}-01"),
            format!("00-{TRACE}-{no_span}-01"),
            format!("00-{upper}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("cc-{TRACE}-{SPAN}-01more"),
            format!("00-{TRACE}{SPAN}--01-"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{}é-{SPAN}-01", &TRACE[..30]),
            "\"}{\"level\":\"error\"".to_owned(),
        ] {
            assert_eq!(TraceParent::parse(&text), None, "{text}");
        }
    }
}
