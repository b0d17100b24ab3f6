//! Sums of what turns used. No I/O.

use crate::util::decimal::{self, ONE_DOLLAR};

/// The largest number of tokens of one turn: sums stay exact in Lua.
const MAX_TOKENS: u64 = 1_000_000_000;

/// What some turns used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSums {
    /// The number of turns.
    pub turns: u64,
    /// The input tokens, with the cached ones.
    pub input_tokens: u64,
    /// The output tokens, with those of the reasoning.
    pub output_tokens: u64,
    /// The input tokens that came from a cache of the provider.
    pub cached_input_tokens: u64,
    /// The output tokens of the reasoning.
    pub reasoning_tokens: u64,
    /// The cost in units of 10⁻¹² dollars.
    pub cost: u128,
}

impl UsageSums {
    /// Returns the numbers as Redis stores them: the cost as dollars and the units below one dollar.
    pub fn to_numbers(self) -> [u64; 7] {
        let [dollars, units] = dollars_and_units(self.cost);
        [
            self.turns,
            self.input_tokens.min(MAX_TOKENS),
            self.output_tokens.min(MAX_TOKENS),
            self.cached_input_tokens.min(MAX_TOKENS),
            self.reasoning_tokens.min(MAX_TOKENS),
            dollars,
            units,
        ]
    }

    /// Reads the numbers of [`Self::to_numbers`] with blanks between them. Missing or malformed ones count as 0.
    pub fn parse(text: &str) -> Self {
        let mut numbers = text
            .split(' ')
            .map(|number| number.parse::<u64>().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self {
            turns: next(),
            input_tokens: next(),
            output_tokens: next(),
            cached_input_tokens: next(),
            reasoning_tokens: next(),
            cost: u128::from(next()) * ONE_DOLLAR + u128::from(next()),
        }
    }

    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.turns, other.turns);
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        add(&mut self.cached_input_tokens, other.cached_input_tokens);
        add(&mut self.reasoning_tokens, other.reasoning_tokens);
        self.cost = self.cost.saturating_add(other.cost);
    }

    /// Returns the cost in dollars as decimal text.
    pub fn cost_text(&self) -> String {
        decimal::format(self.cost)
    }
}

/// Splits an amount into dollars and the units of 10⁻¹² dollars below one dollar.
pub fn dollars_and_units(amount: u128) -> [u64; 2] {
    let part = |amount: u128| u64::try_from(amount).unwrap_or(u64::MAX);
    let dollars = part(amount / ONE_DOLLAR).min(MAX_TOKENS);
    [dollars, part(amount % ONE_DOLLAR)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_they_are_written() {
        let sums = UsageSums {
            turns: 1,
            input_tokens: 2,
            output_tokens: 3,
            cached_input_tokens: 4,
            reasoning_tokens: 5,
            cost: 6_000_000_000_007,
        };
        let text = sums.to_numbers().map(|number| number.to_string()).join(" ");
        assert_eq!(text, "1 2 3 4 5 6 7");
        assert_eq!(UsageSums::parse(&text), sums);
        let mut twice = sums;
        twice.add(&sums);
        assert_eq!(
            (twice.turns, twice.cost_text()),
            (2, "12.000000000014".to_owned())
        );
        assert_eq!(UsageSums::parse("x"), UsageSums::default());
    }
}
