//! The tools of the server as models see them.

use crate::domain::chat::tool::ServerTool;
use crate::provider::request::ModelTool;

/// Returns a tool as the model sees it.
pub(super) fn to_model_tool(tool: ServerTool) -> ModelTool {
    let (description, schema) = match tool {
        ServerTool::LoadSkill => (
            "Returns the document of a skill, with instructions for a task. Call it before the task.",
            r#"{"type":"object","properties":{"id":{"type":"string","description":"The id of the skill."}},"required":["id"],"additionalProperties":false}"#,
        ),
        ServerTool::ReadFile => (
            "Returns the text of a file of the user.",
            r#"{"type":"object","properties":{"path":{"type":"string","description":"The path, such as notes/today.md."}},"required":["path"],"additionalProperties":false}"#,
        ),
        ServerTool::ListFiles => (
            "Lists files of the user: path and size of each.",
            r#"{"type":"object","properties":{"path":{"type":"string","description":"The beginning of the paths, such as notes/. Empty or missing for all files."}},"additionalProperties":false}"#,
        ),
        ServerTool::WriteFile => (
            "Writes a text to a file of the user, also in the place of an earlier file.",
            r#"{"type":"object","properties":{"path":{"type":"string","description":"The path, such as notes/today.md."},"content":{"type":"string","description":"The whole text."}},"required":["path","content"],"additionalProperties":false}"#,
        ),
    };
    ModelTool {
        name: tool.name().to_owned(),
        description: description.to_owned(),
        input_schema: serde_json::from_str(schema).expect("the schema is JSON"),
    }
}
