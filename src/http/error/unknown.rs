//! Members of a body and parameters of a query that the route does not have.

use std::fmt;

use crate::service::error::FieldError;

/// The largest number of names in an error.
const MAX_NAMES: usize = 20;
/// The largest length of a name in an error, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Unknown names of a request, and the names that its route supports.
#[derive(Debug)]
pub struct Unknown {
    names: Vec<String>,
    more: usize,
    known: Vec<&'static str>,
}

impl Unknown {
    /// Returns the names that are not in `known`; `None` if all are.
    pub(crate) fn new<N: AsRef<str>>(
        names: impl IntoIterator<Item = N>,
        known: Vec<&'static str>,
    ) -> Option<Self> {
        let mut unknown: Vec<String> = Vec::new();
        let mut more = 0;
        for name in names {
            let name: String = name.as_ref().chars().take(MAX_NAME_CHARS).collect();
            if known.contains(&name.as_str()) || unknown.contains(&name) {
                continue;
            }
            if unknown.len() < MAX_NAMES {
                unknown.push(name);
            } else {
                more += 1;
            }
        }
        (!unknown.is_empty()).then_some(Self {
            names: unknown,
            more,
            known,
        })
    }

    /// Returns an error for each name.
    pub(crate) fn fields(&self) -> Vec<FieldError> {
        let field = |name: &String| FieldError {
            field: name.clone(),
            message: "is unknown: remove it or correct its name".to_owned(),
        };
        self.names.iter().map(field).collect()
    }
}

/// The unknown names, and those that the client can use instead.
impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&quoted(&self.names))?;
        if self.more > 0 {
            write!(formatter, " and {} more", self.more)?;
        }
        match self.known.as_slice() {
            [] => formatter.write_str(". Remove them; none are supported here."),
            known => write!(
                formatter,
                ". Remove them or correct their names; supported are {}.",
                quoted(known)
            ),
        }
    }
}

fn quoted<N: AsRef<str>>(names: &[N]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_listed_once_with_a_limit() {
        assert!(Unknown::new(["a"], vec!["a", "b"]).is_none());
        let unknown = Unknown::new(["x", "a", "y", "x"], vec!["a", "b"]).unwrap();
        assert_eq!(
            unknown.to_string(),
            "`x`, `y`. Remove them or correct their names; supported are `a`, `b`."
        );
        let many = (0..25).map(|index| format!("{index}{}", "x".repeat(200)));
        let unknown = Unknown::new(many, Vec::new()).unwrap();
        assert!(
            unknown
                .to_string()
                .ends_with("` and 5 more. Remove them; none are supported here.")
        );
        assert_eq!(unknown.fields().len(), MAX_NAMES);
        assert!(unknown.to_string().len() < 2_500);
    }
}
