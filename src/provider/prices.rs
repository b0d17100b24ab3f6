//! Prices of models, in exact decimal arithmetic.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::event::ModelUsage;
use super::name::is_model_name;
use crate::util::decimal;

/// The number of decimal places of a price in dollars per million tokens.
const PRICE_PLACES: usize = 6;
/// The most digits of a price before its decimal point.
const MAX_WHOLE_DIGITS: usize = 6;
/// The most models.
const MAX_MODELS: usize = 200;

/// The prices of models. The default has no prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices(BTreeMap<String, Price>);

/// Prices of one model for one token each, in units of 10⁻¹² dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Price {
    input: u64,
    output: u64,
    cached_input: u64,
}

impl Prices {
    /// Parses `{"model": {"input": 3, "output": 15, "cached_input": 0.3}}`: dollars per million tokens, with at most six
    /// decimal places. `cached_input` is optional.
    ///
    /// # Errors
    /// If the text is not such an object. The message repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, InvalidPrices> {
        serde_json::from_str(text).map_err(|_| InvalidPrices)
    }

    /// Returns the cost of an answer in dollars, as decimal text: the provider's own figure, or else the price of the
    /// tokens. `None` if the model has no price, or the tokens were not counted.
    pub fn cost(&self, model: &str, usage: &ModelUsage) -> Option<String> {
        if usage.cost.is_some() {
            return usage.cost.clone();
        }
        let price = self.0.get(model)?;
        let input = usage.input_tokens?;
        let output = usage.output_tokens.unwrap_or_default();
        let cached = usage.cached_input_tokens.unwrap_or_default().min(input);
        let product = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let cost = product(input - cached, price.input)
            + product(cached, price.cached_input)
            + product(output, price.output);
        Some(decimal::format(cost))
    }
}

/// `LLMOS_PRICES` is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object of prices")]
pub struct InvalidPrices;

/// Parses a price. A price per million tokens in units of 10⁻⁶ dollars is one per token in units of 10⁻¹².
fn price(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str, max: usize| {
        (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_digits(whole, MAX_WHOLE_DIGITS) || !is_digits(fraction, PRICE_PLACES) {
        return None;
    }
    format!("{whole}{fraction:0<PRICE_PLACES$}").parse().ok()
}

/// The members as they are written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    input: Box<RawValue>,
    output: Box<RawValue>,
    cached_input: Option<Box<RawValue>>,
}

impl Members {
    fn price(&self) -> Option<Price> {
        let input = price(self.input.get())?;
        Some(Price {
            input,
            output: price(self.output.get())?,
            cached_input: match &self.cached_input {
                Some(text) => price(text.get())?,
                None => input,
            },
        })
    }
}

impl<'de> Deserialize<'de> for Prices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PricesVisitor)
    }
}

struct PricesVisitor;

impl<'de> Visitor<'de> for PricesVisitor {
    type Value = Prices;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of prices")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Prices, A::Error> {
        let mut prices = BTreeMap::new();
        while let Some((model, members)) = map.next_entry::<String, Members>()? {
            let price = members.price();
            let price = price.ok_or_else(|| A::Error::custom("invalid price"))?;
            let is_valid = is_model_name(&model) && prices.len() < MAX_MODELS;
            if !is_valid || prices.insert(model, price).is_some() {
                return Err(A::Error::custom("invalid or repeated model"));
            }
        }
        Ok(Prices(prices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cached: Option<u64>, output: u64) -> ModelUsage {
        ModelUsage {
            input_tokens: Some(input),
            output_tokens: Some(output),
            cached_input_tokens: cached,
            ..ModelUsage::default()
        }
    }

    #[test]
    fn cost_is_exact() {
        let prices = Prices::parse(
            r#"{"a/b": {"input": 3, "output": 15, "cached_input": 0.3}, "c": {"output": 0.000001, "input": 0.1}}"#,
        )
        .unwrap();
        for (model, usage, cost) in [
            ("a/b", usage(1_000_000, None, 0), "3"),
            ("a/b", usage(1000, Some(900), 1), "0.000585"),
            ("a/b", usage(10, Some(20), 0), "0.000003"),
            ("a/b", usage(0, None, 0), "0"),
            ("c", usage(3, Some(1), 1), "0.000000300001"),
        ] {
            let found = prices.cost(model, &usage);
            assert_eq!(found.as_deref(), Some(cost), "{model} {usage:?}");
        }
        let most = usage(u64::MAX, None, u64::MAX);
        assert!(prices.cost("c", &most).is_some());
        assert_eq!(prices.cost("d", &usage(1, None, 1)), None);
        assert_eq!(prices.cost("c", &ModelUsage::default()), None);
        let own = ModelUsage {
            cost: Some("0.5".to_owned()),
            ..usage(1, None, 1)
        };
        assert_eq!(prices.cost("c", &own).as_deref(), Some("0.5"));
    }

    #[test]
    fn invalid_prices_are_rejected() {
        for text in [
            "",
            "[]",
            "3",
            r#"{"a": 3}"#,
            r#"{"a": {"input": 3}}"#,
            r#"{"a": {"input": 3, "output": -1}}"#,
            r#"{"a": {"input": 3, "output": 1e2}}"#,
            r#"{"a": {"input": 3, "output": "1"}}"#,
            r#"{"a": {"input": 3, "output": 0.0000001}}"#,
            r#"{"a": {"input": 3, "output": 1000000}}"#,
            r#"{"a": {"input": 3, "output": 1, "cached": 1}}"#,
            r#"{"a": {"input": 3, "input": 3, "output": 1}}"#,
            r#"{"a": {"input": 3, "output": 1}, "a": {"input": 3, "output": 1}}"#,
            r#"{"": {"input": 3, "output": 1}}"#,
            r#"{"a": {"input": 3, "output": 1}} x"#,
        ] {
            assert_eq!(Prices::parse(text), Err(InvalidPrices), "{text}");
        }
        assert!(Prices::parse("{}").is_ok());
    }
}
