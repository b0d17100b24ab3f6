//! Amounts of dollars in exact decimal arithmetic, as text in JSON and as whole numbers in Redis.

/// The number of decimal places.
const PLACES: usize = 12;
/// The number of units of one dollar.
pub(crate) const ONE_DOLLAR: u128 = 10_u128.pow(PLACES as u32);
/// The most digits before the decimal point.
const MAX_WHOLE_DIGITS: usize = 12;

/// Returns an amount in units of 10⁻¹² dollars as decimal text.
pub(crate) fn format(units: u128) -> String {
    let text = format!("{}.{:0PLACES$}", units / ONE_DOLLAR, units % ONE_DOLLAR);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Parses decimal text, also with an exponent. Further places are cut off. `None` for a negative or malformed amount.
pub(crate) fn parse(text: &str) -> Option<u128> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let is_number = !digits.is_empty()
        && digits.len() <= 40
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && exponent.abs() <= 40;
    if !is_number {
        return None;
    }
    // The place of the point in the digits, moved to the unit.
    let point = i32::try_from(whole.len()).ok()? + exponent;
    if point > i32::try_from(MAX_WHOLE_DIGITS).ok()? {
        return None;
    }
    let length = usize::try_from(point + i32::try_from(PLACES).ok()?).unwrap_or(0);
    let units: String = digits
        .chars()
        .chain(std::iter::repeat('0'))
        .take(length)
        .collect();
    if units.is_empty() {
        return Some(0);
    }
    units.parse().ok()
}

/// Adds two amounts. A malformed one counts as 0.
pub(crate) fn add(left: &str, right: &str) -> String {
    format(
        parse(left)
            .unwrap_or(0)
            .saturating_add(parse(right).unwrap_or(0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, expected) in [
            ("0", "0"),
            ("1.5", "1.5"),
            ("0.000000000001", "0.000000000001"),
            ("0.0000000000019", "0.000000000001"),
            ("1e-05", "0.00001"),
            ("2.5E1", "25"),
            ("123456789012.5", "123456789012.5"),
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "-1", "1.2.3", "x", "1e99", "1234567890123"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(add("0.1", "0.2"), "0.3");
    }
}
