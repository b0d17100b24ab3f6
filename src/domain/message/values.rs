//! Values of the members of a message: role, status, model, usage, feedback, time, and data of the application.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::domain::metadata::Metadata;
use crate::util::json::{self, Object, Text};

/// The maximum length of the name of a model, in characters.
pub const MAX_MODEL_CHARS: usize = 200;
/// The maximum length of the comment of a feedback, in characters.
pub const MAX_COMMENT_CHARS: usize = 2000;
/// The members of a usage that count tokens.
pub const TOKEN_COUNTS: [&str; 4] = [
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
];

/// Implements the name in JSON of each variant, and parsing. Not derived: a derived implementation also accepts
/// `{"user":null}`.
macro_rules! names {
    ($type:ident, $error:literal, $($variant:ident => $name:literal),+ $(,)?) => {
        impl $type {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// Returns the name as JSON.
            pub(super) fn as_raw(self) -> &'static RawValue {
                let json = match self {
                    $(Self::$variant => concat!("\"", $name, "\"")),+
                };
                serde_json::from_str(json).expect("a name in quotes is JSON")
            }
        }

        impl TryFrom<String> for $type {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let value = Self::ALL.iter().find(|value| value.as_str() == text);
                value.copied().ok_or($error)
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Role {
    /// A person.
    User,
    /// The model.
    Assistant,
    /// The application.
    System,
    /// The developer of the application, whose instructions rank above those of users.
    Developer,
    /// A tool that the model called.
    Tool,
}

names!(
    Role, "must be user, assistant, system, developer or tool",
    User => "user", Assistant => "assistant", System => "system", Developer => "developer", Tool => "tool",
);

/// How far the generation of a message got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum MessageStatus {
    /// The message is still growing.
    InProgress,
    /// The message is whole.
    #[default]
    Completed,
    /// A person stopped the generation.
    Stopped,
    /// The generation failed.
    Failed,
    /// The generation ended without a result, as when a process is lost.
    Abandoned,
    /// The generation reached a limit, as of its length.
    Incomplete,
}

names!(
    MessageStatus,
    "must be in_progress, completed, stopped, failed, abandoned or incomplete",
    InProgress => "in_progress", Completed => "completed", Stopped => "stopped", Failed => "failed",
    Abandoned => "abandoned", Incomplete => "incomplete",
);

/// The name of the model that wrote a message: 1–200 characters.
#[derive(Clone, Debug, Serialize)]
pub struct Model(Box<RawValue>);

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let is_valid =
            serde_json::from_str(value.get()).is_ok_and(|Text(text)| Self::is_name(&text));
        if !is_valid {
            return Err(serde::de::Error::custom(
                "must be a string of 1 to 200 characters without control characters",
            ));
        }
        Ok(Self(value))
    }
}

/// What a message cost: counts of tokens, a price, and other members, of at most 16 KB.
#[derive(Clone, Debug, Serialize)]
pub struct Usage(Metadata);

impl Usage {
    /// Applies this usage to `stored` as a merge patch (RFC 7396).
    ///
    /// # Errors
    /// If the result is not a usage. The message names the rule.
    pub fn merged_into(&self, stored: Option<&RawValue>) -> Result<Self, &'static str> {
        Self::checked(self.0.merged_into(stored)?)
    }

    fn checked(value: Metadata) -> Result<Self, &'static str> {
        let object = Object::parse(value.as_raw().get()).unwrap_or_default();
        let has_count = |name: &&str| {
            let count = object.get(name);
            count.is_none_or(|count| is_count(count.get()))
        };
        if !TOKEN_COUNTS.iter().all(has_count) {
            return Err("must have integers from 0 as counts of tokens");
        }
        let cost = object.get("cost");
        let cost = cost.map(|cost| serde_json::from_str::<Option<Text<'_>>>(cost.get()));
        match cost {
            None | Some(Ok(None)) => Ok(Self(value)),
            Some(Ok(Some(Text(cost)))) if is_decimal(&cost) => Ok(Self(value)),
            _ => Err("must have a decimal number as text as its cost, such as \"0.0125\""),
        }
    }
}

/// Returns whether JSON is `null` or an integer from 0, which may be written as `5.0`.
fn is_count(json: &str) -> bool {
    let is_integer = |number: f64| number >= 0.0 && number.fract() == 0.0 && number < 1.9e19;
    serde_json::from_str::<Option<f64>>(json).is_ok_and(|number| number.is_none_or(is_integer))
}

/// Returns whether a text is digits, with at most one point between them.
fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 40 && is_number(whole) && is_number(fraction)
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::checked(Metadata::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What a person thinks of a message: `{type: positive | negative, comment}`.
#[derive(Clone, Debug, Serialize)]
pub struct Feedback(Box<RawValue>);

impl<'de> Deserialize<'de> for Feedback {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Members<'a> {
            #[serde(rename = "type", borrow)]
            kind: Text<'a>,
            #[serde(borrow)]
            comment: Option<Text<'a>>,
        }
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let is_valid = serde_json::from_str::<Members<'_>>(value.get()).is_ok_and(|members| {
            let comment = members.comment.map_or(0, |Text(text)| text.chars().count());
            ["positive", "negative"].contains(&&*members.kind.0) && comment <= MAX_COMMENT_CHARS
        });
        if !is_valid || json::has_nul(&value) {
            return Err(serde::de::Error::custom(
                "must be {type: positive or negative, comment: at most 2,000 characters}",
            ));
        }
        Ok(Self(value))
    }
}

/// Application data of a message: any JSON, stored byte for byte.
#[derive(Clone, Debug, Serialize)]
pub struct Attachment(Cow<'static, RawValue>);

impl Attachment {
    /// Returns the value as JSON.
    pub(super) fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

impl Attachment {
    /// Returns whether the value is `null`, as that of a member that is not given.
    pub(super) fn is_null(&self) -> bool {
        self.0.get() == "null"
    }
}

impl Default for Attachment {
    fn default() -> Self {
        Self(Cow::Borrowed(RawValue::NULL))
    }
}

impl<'de> Deserialize<'de> for Attachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        if json::has_nul(&value) {
            return Err(serde::de::Error::custom(
                "must not contain the NUL character",
            ));
        }
        Ok(Self(Cow::Owned(value)))
    }
}

/// The time of a message: RFC 3339 with any offset, stored in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Returns the time in the form in which it is stored.
    pub(super) fn to_text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|time| Self(time.to_utc()))
            .ok()
            // RFC 3339 has years of four digits; the conversion to UTC can leave that range.
            .filter(|time| (0..=9999).contains(&time.0.year()))
            .ok_or_else(|| serde::de::Error::custom("must be an RFC 3339 time"))
    }
}

impl Model {
    /// Returns whether a text can be the name.
    pub fn is_name(text: &str) -> bool {
        (1..=MAX_MODEL_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    }

    /// Returns the name as JSON.
    pub(super) fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

impl Usage {
    /// Returns the usage as JSON.
    pub(super) fn as_raw(&self) -> &RawValue {
        self.0.as_raw()
    }
}

impl Feedback {
    /// Returns the feedback as JSON.
    pub(super) fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    #[track_caller]
    fn check<T: DeserializeOwned>(valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(serde_json::from_str::<T>(text).is_ok(), "{text}");
        }
        for text in invalid {
            assert!(serde_json::from_str::<T>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn usage_has_counts_and_a_decimal_cost() {
        let valid = [
            "{}",
            r#"{"input_tokens":0,"output_tokens":18446744073709551615,"cost":"0.0125","other":[1.50]}"#,
            r#"{"cost":"12","input_tokens":null,"output_tokens":5.0}"#,
        ];
        let invalid = [
            "[]",
            r#"{"input_tokens":-1}"#,
            r#"{"reasoning_tokens":1.5}"#,
            r#"{"output_tokens":"1"}"#,
            r#"{"cost":0.1}"#,
            r#"{"cost":"1e3"}"#,
            r#"{"cost":"."}"#,
            r#"{"cost":""}"#,
        ];
        check::<Usage>(&valid, &invalid);
    }

    #[test]
    fn feedback_has_a_type_and_a_short_comment() {
        let comment = |chars| format!(r#"{{"type":"positive","comment":"{}"}}"#, "ü".repeat(chars));
        check::<Feedback>(
            &[
                r#"{"type":"negative"}"#,
                r#"{"type":"positive","comment":null}"#,
                &comment(2000),
            ],
            &[
                r#"{"type":"great"}"#,
                "{}",
                r#"{"type":"positive","x":1}"#,
                &comment(2001),
                r#"{"type":"positive","comment":"\u0000"}"#,
            ],
        );
    }

    #[test]
    fn model_is_a_short_name() {
        let long = format!("\"{}\"", "m".repeat(201));
        check::<Model>(&["\"m\""], &["\"\"", &long, "5", "\"a\\nb\""]);
    }
}
