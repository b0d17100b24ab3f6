//! Volume ids of users and teams that an identity provider names, by any visible text. No I/O.
//!
//! | name | volume id |
//! |---|---|
//! | is a plain volume id | unchanged: `auth0\|6f1a` |
//! | other ASCII | `!`, then the name with `!` and two hexadecimal digits for each other character: `!did!3Aprivy!3A1` |
//! | other | `!!u`, then three digits of base64url for each character |
//!
//! Plain volume ids contain no `!`, so neither form equals one. An escape has digits after its `!`, so the two forms differ. Each
//! form can be decoded, so different names have different ids.

use super::volume::{MAPPED, MAX_MAPPED_ID_CHARS, VolumeId};
use crate::util::invisible::is_invisible;

/// The longest name, in characters (OpenID Connect Core, section 2).
const MAX_NAME_CHARS: usize = 255;
/// The rule of names, as the rest of a sentence.
pub const RULE: &str = "must be 1 to 255 visible characters, and not `.` or `..`";
/// The start of an id of the third form.
const UNICODE: &str = "!!u";
/// The first code point that is too large for three digits of six bits. All visible characters are below it.
const END_OF_UNICODE_FORM: u32 = 1 << 18;
/// The digits of base64url (RFC 4648, section 5).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Three characters for each of a name, after the longer start.
const _: () = assert!(UNICODE.len() + 3 * MAX_NAME_CHARS == MAX_MAPPED_ID_CHARS);

/// Returns the id of the volume of the user or team with this name.
///
/// # Errors
/// The [`RULE`] that the name violates.
pub fn volume_id(name: &str) -> Result<VolumeId, &'static str> {
    if let Ok(plain) = VolumeId::try_from(name.to_owned())
        && !name.starts_with(MAPPED)
    {
        return Ok(plain);
    }
    let is_visible = |character: char| {
        !character.is_whitespace()
            && !is_invisible(character)
            && u32::from(character) < END_OF_UNICODE_FORM
    };
    let has_valid_length = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
    if !has_valid_length || !name.chars().all(is_visible) || name == "." || name == ".." {
        return Err(RULE);
    }
    let mapped = if name.is_ascii() {
        escaped(name)
    } else {
        in_digits(name)
    };
    VolumeId::try_from(mapped).map_err(|_| RULE)
}

fn escaped(name: &str) -> String {
    let mut id = String::from(MAPPED);
    for character in name.chars() {
        if VolumeId::is_plain_char(character) {
            id.push(character);
        } else {
            id.push_str(&format!("{MAPPED}{:02X}", u32::from(character)));
        }
    }
    id
}

fn in_digits(name: &str) -> String {
    let digits = name.chars().flat_map(|character| {
        let code = u32::from(character);
        [code >> 12, code >> 6, code].map(|bits| char::from(DIGITS[(bits & 63) as usize]))
    });
    UNICODE.chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Decodes an id. The service never needs to: this proves that no two names have the same id.
    fn decoded(id: &str) -> String {
        if let Some(digits) = id.strip_prefix(UNICODE) {
            let value = |digit: &u8| DIGITS.iter().position(|it| it == digit).unwrap() as u32;
            let characters = digits.as_bytes().chunks(3);
            let codes =
                characters.map(|it| it.iter().fold(0, |code, digit| code << 6 | value(digit)));
            return codes.map(|code| char::from_u32(code).unwrap()).collect();
        }
        let Some(rest) = id.strip_prefix(MAPPED) else {
            return id.to_owned();
        };
        let mut parts = rest.split(MAPPED);
        let mut name = parts.next().unwrap().to_owned();
        for part in parts {
            name.push(char::from(u8::from_str_radix(&part[..2], 16).unwrap()));
            name.push_str(&part[2..]);
        }
        name
    }

    #[track_caller]
    fn assert_id(name: &str, expected: &str) {
        let id = volume_id(name).unwrap();
        assert_eq!(id.as_str(), expected);
        assert_eq!(decoded(id.as_str()), name);
        assert!(VolumeId::try_from(expected.to_owned()).is_ok());
    }

    #[test]
    fn plain_name_keeps_its_volume() {
        for name in [
            "alice",
            "auth0|6f1a",
            "a+b@c.example",
            "=~.-_",
            "system",
            "...",
        ] {
            assert_id(name, name);
        }
        assert_id(&"x".repeat(128), &"x".repeat(128));
    }

    #[test]
    fn other_names_are_mapped() {
        for (name, id) in [
            ("did:privy:cl1", "!did!3Aprivy!3Acl1"),
            ("f:5f7a:jane", "!f!3A5f7a!3Ajane"),
            ("a/b", "!a!2Fb"),
            (
                "system:serviceaccount:ns:x",
                "!system!3Aserviceaccount!3Ans!3Ax",
            ),
            (
                "https://x.example/u/1?a=b#c",
                "!https!3A!2F!2Fx.example!2Fu!2F1!3Fa=b!23c",
            ),
            ("{x}*%25\\\"", "!!7Bx!7D!2A!2525!5C!22"),
            ("!", "!!21"),
            ("!a!2Fb", "!!21a!212Fb"),
            ("!!uAAA", "!!21!21uAAA"),
            ("../x", "!..!2Fx"),
            ("é", "!!uADp"),
            ("王🚀", "!!uHOLfaA"),
        ] {
            assert_id(name, id);
        }
        let long = "x".repeat(129);
        assert_id(&long, &format!("!{long}"));
        for longest in [":".repeat(255), "王".repeat(255), "𠮷".repeat(255)] {
            let id = volume_id(&longest).unwrap();
            assert!(id.as_str().len() <= MAX_MAPPED_ID_CHARS);
            assert_eq!(decoded(id.as_str()), longest);
        }
    }

    #[test]
    fn similar_names_have_different_volumes() {
        let names = [
            "a/b", "a:b", "!a!2Fb", "a!2Fb", "!!uABh", "a", "!a", "A", "é", "e\u{301}", "%61",
            "default", "!default",
        ];
        let ids: HashSet<String> = names
            .iter()
            .map(|name| volume_id(name).unwrap().as_str().to_owned())
            .collect();
        assert_eq!(ids.len(), names.len());
        assert!(ids.contains("default"));
    }

    #[test]
    fn invisible_or_overlong_name_is_rejected() {
        for name in [
            "",
            ".",
            "..",
            "a b",
            " ",
            "a\n",
            "a\0",
            "a\u{a0}",
            "a\u{200b}",
            "a\u{202e}b",
            "\u{feff}",
            "a\u{7f}",
            "\u{e0041}",
            "\u{f0000}",
            &"x".repeat(256),
            &"é".repeat(256),
        ] {
            assert_eq!(volume_id(name), Err(RULE), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn every_accepted_name_is_decoded_from_its_id(name in "\\PC{1,40}|[!-~]{1,255}") {
            if let Ok(id) = volume_id(&name) {
                prop_assert_eq!(decoded(id.as_str()), name);
            }
        }
    }
}
