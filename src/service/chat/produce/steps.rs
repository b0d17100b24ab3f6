//! The steps of a turn: requests to the model, and the tools of the server between them.

use uuid::Uuid;

use super::{End, Producer};
use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::tool::ServerTool;
use crate::domain::message::Model;
use crate::provider::error::ErrorKind;
use crate::provider::event::{FinishReason, ModelEvent};
use crate::provider::request::{ModelMessage, ModelRequest, ModelRole};
use crate::service::chat::encode::{Step, ToolOutput};
use crate::service::chat::prompt::tokens;
use crate::service::chat::prompt_of::prompt_of;

/// The maximum number of requests to the model in one turn.
const MAX_STEPS: usize = 16;
/// The output of a call that a person must approve, where the client cannot ask.
const NOT_APPROVED: &str =
    "A person must approve this call, and this client does not ask for that.";

impl Producer {
    /// Asks the model until it has nothing more to do for the server; returns how the turn ends.
    pub(super) async fn answer(&mut self) -> End {
        if let Err(end) = self.run_approved().await {
            return end;
        }
        let interrupted = self.interrupted();
        let loaded = tokio::select! {
            biased;
            end = interrupted => return end,
            loaded = prompt_of(&self.turn) => loaded,
        };
        let mut request = match loaded {
            Ok((request, info)) => {
                self.prompt = info;
                request
            }
            Err(error) => {
                tracing::warn!(error = %error, "the prompt of a turn cannot be read");
                return End::Error(
                    "storage_failed",
                    "The conversation cannot be read.".to_owned(),
                );
            }
        };
        self.start_title();
        for number in 0..MAX_STEPS {
            if number > 0 {
                let chunks = self.encoder.start_step();
                if self.send(chunks).is_none() {
                    return End::Limit;
                }
            }
            let interrupted = self.interrupted();
            let checked = tokio::select! {
                biased;
                end = interrupted => Err(end),
                checked = self.check_budget() => checked,
            };
            if let Err(end) = checked {
                return end;
            }
            let step = match self.step(&request).await {
                Ok(step) => step,
                Err(end) => return end,
            };
            let finish = step.finish.unwrap_or(FinishReason::Other);
            if !step.continues() {
                return match finish {
                    FinishReason::Length => End::Limit,
                    finish => End::Finished(finish.as_str()),
                };
            }
            request.messages.push(step.to_message());
            match self.run_tools(&step).await {
                Ok(results) => request.messages.push(results),
                Err(end) => return end,
            }
        }
        End::Limit
    }

    /// Asks the model once.
    async fn step(&mut self, request: &ModelRequest) -> Result<Step, End> {
        let mut interrupted = Box::pin(self.interrupted());
        let provider = self.turn.provider.clone();
        let mut stream = tokio::select! {
            biased;
            end = &mut interrupted => return Err(end),
            stream = provider.stream(request) => stream.map_err(End::Failed)?,
        };
        loop {
            let event = tokio::select! {
                biased;
                end = &mut interrupted => {
                    self.add_usage(false);
                    return Err(end);
                }
                event = stream.next() => event,
            };
            match event {
                Some(Ok(event)) => {
                    if self.first_token.is_none() && is_content(&event) {
                        self.first_token = Some(self.turn.started.elapsed());
                    }
                    if let ModelEvent::Started {
                        model: Some(model), ..
                    } = &event
                        && Model::is_name(model)
                    {
                        self.response_model = Some(model.clone());
                    }
                    let chunks = self.encoder.event(event);
                    if self.send(chunks).is_none() {
                        self.add_usage(false);
                        return Err(End::Limit);
                    }
                }
                Some(Err(error)) => {
                    self.add_usage(false);
                    return Err(End::Failed(error));
                }
                None => break,
            }
        }
        self.add_usage(true);
        let (chunks, step) = self.encoder.take_step();
        if step.finish.is_none() {
            let kind = ErrorKind::Interrupted;
            return Err(End::Error(kind.code(), kind.sentence().to_owned()));
        }
        self.send(chunks).ok_or(End::Limit)?;
        Ok(step)
    }

    /// Adds the usage of a step; estimates it where the provider did not report it.
    fn add_usage(&mut self, is_whole: bool) {
        let chars = self.encoder.output_chars();
        self.output_chars += chars;
        let mut usage = self.encoder.usage().clone();
        if !is_whole || usage.output_tokens.is_none() {
            let estimate = tokens(chars) as u64;
            usage.output_tokens = Some(usage.output_tokens.unwrap_or(0).max(estimate));
            if usage.input_tokens.is_none() {
                usage.input_tokens = Some(self.prompt.input_tokens);
            }
            self.usage.partial = true;
        }
        let prices = &self.turn.deps.models.prices;
        self.usage.add(&self.turn.model.name, &usage, prices);
    }

    /// Returns whether a person must approve each call of a tool.
    fn needs_approval(&self, name: &str) -> bool {
        ServerTool::named(name) == Some(ServerTool::WriteFile)
            && !self.turn.deps.chat.are_approvals_waived
    }

    /// Runs the tools that the model called; returns their results.
    async fn run_tools(&mut self, step: &Step) -> Result<ModelMessage, End> {
        let mut results = Vec::new();
        let mut is_waiting = false;
        for call in &step.calls {
            let output = match &call.error {
                Some(error) => ToolOutput::Error(error.clone()),
                None if self.needs_approval(&call.name) && self.turn.request.approvals => {
                    let request = Chunk::ToolApprovalRequest {
                        approval_id: format!("approval-{}", Uuid::new_v4().simple()),
                        tool_call_id: call.id.clone(),
                    };
                    self.send(vec![request]).ok_or(End::Limit)?;
                    is_waiting = true;
                    continue;
                }
                None if self.needs_approval(&call.name) => {
                    ToolOutput::Error(NOT_APPROVED.to_owned())
                }
                None => {
                    let interrupted = self.interrupted();
                    tokio::select! {
                        biased;
                        end = interrupted => return Err(end),
                        (output, skill) = self.turn.run_tool(&call.name, &call.input) => {
                            self.prompt.skills.extend(skill.filter(|skill| !self.prompt.skills.contains(skill)));
                            output
                        }
                    }
                }
            };
            if call.error.is_none() {
                self.send(vec![output.to_chunk(call)]).ok_or(End::Limit)?;
            }
            results.push(output.to_model_part(call));
        }
        if is_waiting {
            return Err(End::Finished(FinishReason::ToolCalls.as_str()));
        }
        self.send(vec![Chunk::FinishStep]).ok_or(End::Limit)?;
        Ok(ModelMessage {
            role: ModelRole::User,
            parts: results,
            is_stable: false,
        })
    }
}

fn is_content(event: &ModelEvent) -> bool {
    matches!(
        event,
        ModelEvent::Text { .. } | ModelEvent::Reasoning { .. } | ModelEvent::ToolStart { .. }
    )
}
