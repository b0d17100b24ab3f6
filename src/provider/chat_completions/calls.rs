//! The calls of tools in an answer, whose members arrive in pieces and in any order.

use serde_json::Value;

use crate::provider::failure::Failure;
use crate::provider::new_call_id;
use crate::provider::output::{MAX_TOOL_CALLS, MAX_TOOL_INPUT_BYTES, Output};

/// The calls in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    /// The arguments that arrived before the id or the name.
    held: String,
    /// The number of the block, once the call was reported.
    block: Option<u32>,
}

impl Calls {
    /// Reads the calls of a delta or of a whole message.
    pub(super) fn read(&mut self, calls: &Value, output: &mut Output) -> Result<(), Failure> {
        for delta in calls.as_array().into_iter().flatten() {
            self.read_one(delta, output)?;
        }
        Ok(())
    }

    /// Reports the calls whose id never arrived.
    pub(super) fn finish(&mut self, output: &mut Output) -> Result<(), Failure> {
        for call in &mut self.0 {
            if call.block.is_some() || (call.name.is_empty() && call.held.is_empty()) {
                continue;
            }
            if call.id.is_empty() {
                call.id = new_call_id();
            }
            call.report(output)?;
        }
        Ok(())
    }

    fn read_one(&mut self, delta: &Value, output: &mut Output) -> Result<(), Failure> {
        let index = delta["index"].as_u64();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let function = &delta["function"];
        let (id, name) = (text(&delta["id"]), text(&function["name"]));
        let arguments = match &function["arguments"] {
            Value::String(text) => text.clone(),
            object @ Value::Object(_) => object.to_string(),
            _ => String::new(),
        };
        let call = self.find_or_add(index, &id, &name)?;
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name.is_empty() {
            call.name = name;
        }
        if let Some(block) = call.block {
            return output.tool_input(block, &arguments);
        }
        call.held.push_str(&arguments);
        if call.held.len() > MAX_TOOL_INPUT_BYTES {
            return Err(Failure::malformed());
        }
        if call.id.is_empty() || call.name.is_empty() {
            return Ok(());
        }
        call.report(output)
    }

    /// Finds the call that a delta belongs to. Some servers omit the index, or number all calls 0.
    fn find_or_add(
        &mut self,
        index: Option<u64>,
        id: &str,
        name: &str,
    ) -> Result<&mut Call, Failure> {
        let same_index = |call: &Call| index.is_none() || call.index == index;
        let is_other = |call: &Call| {
            !id.is_empty() && !name.is_empty() && !call.id.is_empty() && call.id != id
        };
        let found = self.0.iter().rposition(same_index);
        let found = found.filter(|found| !is_other(&self.0[*found]));
        let found = match found {
            // Whole calls without index and id: each has a name.
            Some(found) if index.is_none() && id.is_empty() && !name.is_empty() => {
                Some(found).filter(|found| self.0[*found].name.is_empty())
            }
            found => found,
        };
        let found = match found {
            Some(found) => found,
            None if self.0.len() >= MAX_TOOL_CALLS => return Err(Failure::malformed()),
            None => {
                self.0.push(Call {
                    index,
                    ..Call::default()
                });
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[found])
    }
}

impl Call {
    fn report(&mut self, output: &mut Output) -> Result<(), Failure> {
        let block = output.tool(self.id.clone(), &self.name)?;
        self.block = Some(block);
        output.tool_input(block, &std::mem::take(&mut self.held))
    }
}
