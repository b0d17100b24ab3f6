//! A call of a script: its keys, its arguments, and the envelope that `prelude.lua` removes from the arguments.

use std::borrow::Cow;

use redis::Cmd;

use super::keys::{self, KeyScheme};
use super::script::Script;
use crate::domain::rate_limit::RateLimit;
use crate::domain::request_context::RequestContext;

/// A script with its keys and arguments.
#[derive(Debug)]
pub(super) struct Call<'a> {
    script: &'static Script,
    keys: Vec<Vec<u8>>,
    /// The arguments before `args`.
    leading: Vec<Vec<u8>>,
    args: Vec<Cow<'a, [u8]>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'static Script, keys: Vec<Vec<u8>>) -> Self {
        Self {
            script,
            keys,
            leading: Vec::new(),
            args: Vec::with_capacity(8),
        }
    }

    /// Sets the keys, and the arguments before all others.
    pub(super) fn begin_with(&mut self, keys: Vec<Vec<u8>>, leading: Vec<Vec<u8>>) {
        self.keys = keys;
        self.leading = leading;
    }

    /// Adds an argument.
    pub(super) fn arg(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.args.push(Cow::Borrowed(value.as_ref()));
        self
    }

    /// Adds an argument that the call owns.
    pub(super) fn owned(mut self, value: String) -> Self {
        self.args.push(Cow::Owned(value.into_bytes()));
        self
    }

    /// Adds a number.
    pub(super) fn number(self, value: impl ToString + Copy) -> Self {
        self.owned(value.to_string())
    }

    /// Adds `1` or `0`.
    pub(super) fn flag(self, value: bool) -> Self {
        self.arg(if value { "1" } else { "0" })
    }

    /// Adds several arguments.
    pub(super) fn args<T: AsRef<[u8]> + ?Sized + 'a>(
        mut self,
        values: impl IntoIterator<Item = &'a T>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|value| Cow::Borrowed(value.as_ref()));
        self.args.extend(values);
        self
    }

    /// Builds the command. `is_repeated` means that an earlier attempt may have run.
    pub(super) fn command(
        &self,
        scheme: KeyScheme,
        envelope: &Envelope<'_>,
        is_repeated: bool,
        with_source: bool,
    ) -> Cmd {
        let mut command = match with_source {
            true => self.script.command_with_source(scheme),
            false => self.script.command(scheme),
        };
        command.arg(self.keys.len()).arg(&self.keys);
        command.arg(&self.leading);
        for argument in &self.args {
            command.arg(&**argument);
        }
        envelope.push_context(&mut command);
        command.arg(u8::from(is_repeated));
        command
    }
}

/// The trailing arguments of each call: the caller and the rate limit.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// Whether sets of the caller's volumes contain the session, as `cluster/index.lua` expects it. Only on a cluster.
    membership: Option<&'static str>,
    scopes: String,
    can_write: bool,
    rate_limit: Option<&'a RateLimit>,
}

impl<'a> Envelope<'a> {
    /// Returns the envelope of a call on a single Redis. The call charges `rate_limit`, if there is one.
    pub(super) fn single(context: &RequestContext, rate_limit: Option<&'a RateLimit>) -> Self {
        let scopes = match context.caller.volumes() {
            None => "*".to_owned(),
            Some(volumes) => {
                let scopes: Vec<String> = volumes.iter().map(keys::scope).collect();
                scopes.join("\n")
            }
        };
        Self {
            membership: None,
            scopes,
            can_write: context.caller.can_write(),
            rate_limit,
        }
    }

    /// Returns the envelope of a call on a cluster.
    pub(super) fn cluster(
        context: &RequestContext,
        rate_limit: Option<&'a RateLimit>,
        membership: &'static str,
    ) -> Self {
        Self {
            membership: Some(membership),
            ..Self::single(context, rate_limit)
        }
    }

    /// Returns the envelope of a call on a cluster that is a step of an operation, with access to everything.
    pub(super) fn internal() -> Self {
        Self {
            membership: Some(""),
            scopes: "*".to_owned(),
            can_write: true,
            rate_limit: None,
        }
    }

    fn push_context(&self, command: &mut Cmd) {
        if let Some(membership) = self.membership {
            command.arg(membership);
        }
        command.arg(&self.scopes).arg(u8::from(self.can_write));
        match self.rate_limit {
            Some(limit) => command
                .arg(keys::rate(&limit.caller))
                .arg(u64::try_from(limit.interval().as_micros()).unwrap_or(u64::MAX))
                .arg(limit.requests),
            None => command.arg("").arg(0).arg(0),
        };
    }
}

#[cfg(test)]
mod tests {
    use redis::Arg;

    use super::*;
    use crate::store::script;

    /// Returns the arguments of a command behind the name and the script.
    fn arguments(command: &Cmd) -> Vec<String> {
        let texts = command.args_iter().skip(2).map(|argument| match argument {
            Arg::Simple(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => String::new(),
        });
        texts.collect()
    }

    #[test]
    fn envelope_follows_the_arguments_and_ends_with_the_repeated_flag() {
        let call = Call::new(&script::FIND, vec![b"k".to_vec()])
            .arg("a")
            .number(-1)
            .flag(true)
            .args(&["b", "c"]);
        let envelope = Envelope::internal();
        let first = call.command(KeyScheme::Cluster, &envelope, false, true);
        let second = call.command(KeyScheme::Cluster, &envelope, true, false);
        let expected = [
            "1", "k", "a", "-1", "1", "b", "c", "", "*", "1", "", "0", "0",
        ];
        assert_eq!(arguments(&first), [&expected[..], &["0"]].concat());
        assert_eq!(arguments(&second), [&expected[..], &["1"]].concat());
        assert_eq!(
            first.args_iter().next(),
            Some(Arg::Simple(b"EVAL".as_slice()))
        );
        assert_eq!(
            second.args_iter().next(),
            Some(Arg::Simple(b"EVALSHA".as_slice()))
        );
    }
}
