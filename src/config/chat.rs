//! Configuration of chat: limits, titles, tools of the server.

use std::collections::BTreeSet;

use super::{ConfigError, Environment};
use crate::domain::chat::limits::ChatLimits;
use crate::domain::chat::tool::ServerTool;
use crate::provider::is_model_name;

/// Configuration of chat. The default is for tests: titles are off.
#[derive(Clone, Debug, Default)]
pub struct ChatConfig {
    /// `CHAT_LIMITS`: the limits of each caller. Default: 3 turns at a time.
    pub limits: ChatLimits,
    /// `ALLOW_ANONYMOUS_CHAT`: whether everybody may chat where there is no access control and others can reach the
    /// service. Default: no.
    pub allow_anonymous: bool,
    /// `LLMOS_TITLES`: whether a model names sessions without a name. Default: on.
    pub titles: bool,
    /// `LLMOS_TITLE_MODEL`: the model that does. Default: that of the answer.
    pub title_model: Option<String>,
    /// `LLMOS_SERVER_TOOLS`: the tools with which models use the files of a session's volume. Default: none.
    pub server_tools: BTreeSet<ServerTool>,
    /// `LLMOS_APPROVALS=waived`: whether files are written without approval. Default: no.
    pub are_approvals_waived: bool,
}

impl ChatConfig {
    pub(super) fn read(environment: &Environment<'_>) -> Result<Self, ConfigError> {
        let switch = [("true", true), ("false", false)];
        let titles = [("on", true), ("off", false)];
        let approvals = [("required", false), ("waived", true)];
        let limits = "limits of 1 or more with commas between them: concurrent_turns=3, turns_per_minute=20, \
            tokens_per_day=200000, cost_per_day=2.00";
        Ok(Self {
            limits: environment
                .parse("CHAT_LIMITS", limits)?
                .unwrap_or_default(),
            allow_anonymous: environment
                .parse_choice("ALLOW_ANONYMOUS_CHAT", switch, "true or false")?
                .unwrap_or(false),
            titles: environment
                .parse_choice("LLMOS_TITLES", titles, "on or off")?
                .unwrap_or(true),
            title_model: environment.parse_with(
                "LLMOS_TITLE_MODEL",
                "the name of a model",
                |text| is_model_name(text).then(|| text.to_owned()),
            )?,
            server_tools: environment
                .parse_list::<ServerTool>(
                    "LLMOS_SERVER_TOOLS",
                    "read_file, list_files and write_file, with commas between them",
                )?
                .into_iter()
                .collect(),
            are_approvals_waived: environment
                .parse_choice("LLMOS_APPROVALS", approvals, "required or waived")?
                .unwrap_or(false),
        })
    }
}
