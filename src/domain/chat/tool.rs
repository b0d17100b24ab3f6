//! The tools of the server.

use std::str::FromStr;

/// A tool of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerTool {
    /// Returns the document of a skill.
    LoadSkill,
    /// Returns the text of a file.
    ReadFile,
    /// Lists the files of a folder.
    ListFiles,
    /// Writes a file.
    WriteFile,
}

/// The text names no tool of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTool;

impl ServerTool {
    const ALL: [Self; 4] = [
        Self::LoadSkill,
        Self::ReadFile,
        Self::ListFiles,
        Self::WriteFile,
    ];

    /// Returns the name by which the model calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoadSkill => "load_skill",
            Self::ReadFile => "read_file",
            Self::ListFiles => "list_files",
            Self::WriteFile => "write_file",
        }
    }

    /// Returns the tool with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

/// Parses the name of a tool of files, as `LLMOS_SERVER_TOOLS` has it.
impl FromStr for ServerTool {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, UnknownTool> {
        let tool = Self::named(text).filter(|tool| *tool != Self::LoadSkill);
        tool.ok_or(UnknownTool)
    }
}
