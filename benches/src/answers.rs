//! Compares the responses of all servers before the measurement, so that all do the same work.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::operations::Operations;
use crate::server::Server;

/// Checks that all servers respond to each operation like the first one: the same members with the same values.
///
/// Ids, times and cursors differ between servers, so only their form is compared.
pub fn compare(servers: &[(Server, Operations)]) -> Result<()> {
    let mut expected: Vec<Value> = Vec::new();
    for (server, operations) in servers {
        for (index, (name, request)) in operations.all().into_iter().enumerate() {
            let mut response: Value = serde_json::from_str(&request.send(&server.base)?)?;
            normalise(&mut response);
            let Some(expected) = expected.get(index) else {
                expected.push(response);
                continue;
            };
            ensure!(
                *expected == response,
                "{name}: {} responds differently\n{expected:#}\n{response:#}",
                server.kind.title()
            );
        }
    }
    Ok(())
}

fn normalise(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("id" | "parent_id" | "session_id" | "volume_id", Value::String(text)) => {
                        let kind = text.split(['_', '-']).next().unwrap_or_default();
                        *text = kind.to_owned();
                    }
                    ("created_at" | "updated_at" | "timestamp", Value::String(text)) => {
                        *text = text
                            .chars()
                            .map(|digit| if digit.is_ascii_digit() { '0' } else { digit })
                            .collect();
                    }
                    ("next_cursor", Value::String(text)) => *text = "a cursor".to_owned(),
                    (_, value) => normalise(value),
                }
            }
        }
        _ => {}
    }
}
