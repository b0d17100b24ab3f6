//! Whether all servers do the same work: their answers are compared before they are measured.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::operations::Operations;
use crate::server::Server;

/// Compares what the servers answer to each operation with what the first one does: the same fields, and the same
/// values but for what no two servers share (ids, times, cursors), of which only the form is compared.
pub fn compare(servers: &[(Server, Operations)]) -> Result<()> {
    let mut expected: Vec<Value> = Vec::new();
    for (server, operations) in servers {
        for (index, (name, request)) in operations.all().into_iter().enumerate() {
            let mut answer: Value = serde_json::from_str(&request.send(&server.base)?)?;
            normalise(&mut answer);
            let Some(expected) = expected.get(index) else {
                expected.push(answer);
                continue;
            };
            ensure!(
                *expected == answer,
                "{name}: {} answers otherwise\n{expected:#}\n{answer:#}",
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
                    ("id" | "session_id" | "volume_id", Value::String(text)) => {
                        let kind = text.split(['_', '-']).next().unwrap_or_default();
                        *text = kind.to_owned();
                    }
                    ("created_at" | "updated_at" | "timestamp", Value::String(text)) => {
                        *text = text
                            .chars()
                            .map(|c| if c.is_ascii_digit() { '0' } else { c })
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
