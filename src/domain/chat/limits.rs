//! Limits of what one caller may use of models. No I/O: Redis counts.

use std::str::FromStr;

use crate::util::decimal;

/// The number of turns of a caller at a time, where nothing is configured.
pub const DEFAULT_CONCURRENT_TURNS: u32 = 3;
/// The highest limit: sums stay exact in Lua.
const MAX_LIMIT: u64 = 1_000_000_000_000;

/// `CHAT_LIMITS`: the limits of each caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatLimits {
    /// The number of turns at a time.
    pub concurrent_turns: u32,
    /// The number of turns that begin within a minute.
    pub turns_per_minute: Option<u32>,
    /// The number of input and output tokens per day (UTC).
    pub tokens_per_day: Option<u64>,
    /// The cost per day (UTC), in units of 10⁻¹² dollars.
    pub cost_per_day: Option<u128>,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self {
            concurrent_turns: DEFAULT_CONCURRENT_TURNS,
            turns_per_minute: None,
            tokens_per_day: None,
            cost_per_day: None,
        }
    }
}

impl ChatLimits {
    /// Returns whether there is a limit of tokens or of the cost, so that each request to a model must fit.
    pub fn has_amounts(&self) -> bool {
        self.tokens_per_day.is_some() || self.cost_per_day.is_some()
    }
}

/// `CHAT_LIMITS` is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid limits")]
pub struct InvalidLimits;

impl FromStr for ChatLimits {
    type Err = InvalidLimits;

    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        let mut limits = Self::default();
        let mut names = Vec::new();
        for entry in text.split(',') {
            let (name, value) = entry.split_once('=').ok_or(InvalidLimits)?;
            let (name, value) = (name.trim(), value.trim());
            if names.contains(&name) {
                return Err(InvalidLimits);
            }
            names.push(name);
            match name {
                "concurrent_turns" => limits.concurrent_turns = number(value)?,
                "turns_per_minute" => limits.turns_per_minute = Some(number(value)?),
                "tokens_per_day" => limits.tokens_per_day = Some(number(value)?),
                "cost_per_day" => limits.cost_per_day = Some(amount(value)?),
                _ => return Err(InvalidLimits),
            }
        }
        Ok(limits)
    }
}

fn number<T: TryFrom<u64>>(text: &str) -> Result<T, InvalidLimits> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u64>().ok().filter(|_| is_number);
    let number = number.filter(|number| (1..=MAX_LIMIT).contains(number));
    let number = number.ok_or(InvalidLimits)?;
    T::try_from(number).map_err(|_| InvalidLimits)
}

/// Parses an amount of dollars: digits with at most one point, and not 0.
fn amount(text: &str) -> Result<u128, InvalidLimits> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let units = decimal::parse(text).filter(|_| is_plain);
    units.filter(|units| *units > 0).ok_or(InvalidLimits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_optional() {
        assert_eq!("concurrent_turns=3".parse(), Ok(ChatLimits::default()));
        let all = "concurrent_turns=5, turns_per_minute=20,tokens_per_day=200000,cost_per_day=2.00";
        let expected = ChatLimits {
            concurrent_turns: 5,
            turns_per_minute: Some(20),
            tokens_per_day: Some(200_000),
            cost_per_day: Some(2_000_000_000_000),
        };
        assert_eq!(all.parse(), Ok(expected));
    }

    #[test]
    fn invalid_limits_are_rejected() {
        for text in [
            "",
            "3",
            "concurrent_turns=0",
            "concurrent_turns=-1",
            "concurrent_turns=+1",
            "concurrent_turns=4294967296",
            "turns_per_minute=",
            "tokens_per_day=1.5",
            "tokens_per_day=1000000000001",
            "cost_per_day=0",
            "cost_per_day=1e2",
            "cost_per_day=-2",
            "turns=3",
            "turns_per_minute=1,turns_per_minute=2",
            "turns_per_minute=1,",
        ] {
            assert_eq!(text.parse::<ChatLimits>(), Err(InvalidLimits), "{text}");
        }
    }
}
