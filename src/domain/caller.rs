//! Who calls, and what they may do with which volume. No I/O.

use std::sync::Arc;

use super::rate_limit::Quota;
use super::volume::{Volume, VolumeId, VolumeRef};
use crate::util::hash::hex_hash;

/// Of how many teams a caller may be a member.
pub const MAX_TEAMS: usize = 100;

/// A caller whose credentials hold, or who needs none.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Tells this caller from every other, such as `user alice` or `key deploy admin`; empty where there is only one.
    name: String,
    user: Option<VolumeId>,
    teams: Vec<VolumeId>,
    may_everything: bool,
    is_read_only: bool,
    /// What this request counts against.
    pub quota: Arc<Quota>,
}

/// Why a caller may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is none of the caller's business whether there is something.
    Hidden,
    /// The caller sees it, and may not change it.
    ReadOnly,
}

impl Caller {
    /// The one person at their own machine, and whoever calls a deployment that is open on purpose: may do
    /// everything.
    pub fn anybody() -> Self {
        Self {
            name: String::new(),
            user: None,
            teams: Vec::new(),
            may_everything: true,
            is_read_only: false,
            quota: Arc::default(),
        }
    }

    /// Somebody who signed in.
    pub fn user(id: VolumeId, teams: Vec<VolumeId>, is_admin: bool) -> Self {
        Self {
            name: format!("user {}", id.as_str()),
            user: Some(id),
            teams,
            may_everything: is_admin,
            ..Self::anybody()
        }
    }

    /// A program with the key of this name: for one user's or team's volume, or, without, for everything.
    pub fn key(name: &str, volume: Option<VolumeRef>, is_read_only: bool) -> Self {
        let may_everything = volume.is_none();
        let scope = volume
            .as_ref()
            .map_or_else(|| "admin".to_owned(), ToString::to_string);
        let (user, team) = match volume {
            Some(it) if it.volume == Volume::User => (Some(it.id), None),
            Some(it) if it.volume == Volume::Team => (None, Some(it.id)),
            _ => (None, None),
        };
        Self {
            // A key that is given another scope is another caller: what it did in the old one is not its own.
            name: format!("key {name} {scope}"),
            user,
            teams: team.into_iter().collect(),
            may_everything,
            is_read_only,
            ..Self::anybody()
        }
    }

    /// The same caller, whose request counts against `quota`.
    pub fn counted_on(self, quota: Arc<Quota>) -> Self {
        Self { quota, ..self }
    }

    /// Tells this caller from every other; empty where callers cannot be told apart.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The teams that the caller is a member of.
    pub fn teams(&self) -> &[VolumeId] {
        &self.teams
    }

    /// The volume that a caller means who names none.
    pub fn own(&self) -> VolumeRef {
        match (&self.user, self.teams.first()) {
            (None, Some(team)) => of(Volume::Team, team.clone()),
            (user, _) => of(Volume::User, user.clone().unwrap_or_default()),
        }
    }

    /// The volume that a caller means by `volume` and `id`: `default` is their own.
    pub fn resolve(&self, volume: Volume, id: VolumeId) -> VolumeRef {
        let own = self.own();
        if id == VolumeId::default() && own.volume == volume {
            own
        } else {
            of(volume, id)
        }
    }

    /// Whether the caller may see what is in `volume`.
    ///
    /// # Errors
    /// [`Denied::Hidden`].
    pub fn may_read(&self, volume: &VolumeRef) -> Result<(), Denied> {
        let is_seen = self.may_everything
            || match volume.volume {
                Volume::System => true,
                Volume::User => self.user.as_ref() == Some(&volume.id),
                Volume::Team => self.teams.contains(&volume.id),
            };
        is_seen.then_some(()).ok_or(Denied::Hidden)
    }

    /// Whether the caller may see what says that it lies in this volume, with an id of whatever letters.
    pub fn sees(&self, volume: Volume, id: &str) -> bool {
        match VolumeId::try_from(id.to_owned()) {
            Ok(id) => self.may_read(&of(volume, id)).is_ok(),
            // What has no id that can be asked for is nobody's.
            Err(_) => self.may_everything || volume == Volume::System,
        }
    }

    /// Whether the caller may change what is in `volume`.
    ///
    /// # Errors
    /// Why not.
    pub fn may_write(&self, volume: &VolumeRef) -> Result<(), Denied> {
        self.may_read(volume)?;
        let is_owner = self.may_everything || volume.volume != Volume::System;
        self.may_change_something()?;
        is_owner.then_some(()).ok_or(Denied::ReadOnly)
    }

    /// Whether the caller may change anything at all.
    ///
    /// # Errors
    /// [`Denied::ReadOnly`].
    pub fn may_change_something(&self) -> Result<(), Denied> {
        (!self.is_read_only).then_some(()).ok_or(Denied::ReadOnly)
    }

    /// The volumes that belong to the caller, beside the system's; `None` for whoever may see every volume.
    pub fn volumes(&self) -> Option<Vec<VolumeRef>> {
        if self.may_everything {
            return None;
        }
        let user = self.user.iter().map(|id| of(Volume::User, id.clone()));
        let teams = self.teams.iter().map(|id| of(Volume::Team, id.clone()));
        Some(user.chain(teams).collect())
    }

    /// Makes what belongs to this caller out of a name that another one may use, too: no two callers have the
    /// same. A blank, which `name` must not hold, ends the caller's part.
    pub fn owned(&self, name: &str) -> String {
        if self.name.is_empty() {
            return name.to_owned();
        }
        format!("{} {name}", hex_hash::<16>(&[self.name.as_bytes()]))
    }
}

fn of(volume: Volume, id: VolumeId) -> VolumeRef {
    VolumeRef { volume, id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> VolumeId {
        VolumeId::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn each_sees_what_is_theirs_and_the_systems() {
        let alice = Caller::user(id("alice"), vec![id("red")], false);
        for (volume, may_read, may_write) in [
            (of(Volume::User, id("alice")), Ok(()), Ok(())),
            (of(Volume::Team, id("red")), Ok(()), Ok(())),
            (VolumeRef::system(), Ok(()), Err(Denied::ReadOnly)),
            (
                of(Volume::User, id("red")),
                Err(Denied::Hidden),
                Err(Denied::Hidden),
            ),
            (
                of(Volume::Team, id("alice")),
                Err(Denied::Hidden),
                Err(Denied::Hidden),
            ),
        ] {
            assert_eq!(alice.may_read(&volume), may_read, "{volume:?}");
            assert_eq!(alice.may_write(&volume), may_write, "{volume:?}");
        }
        let admin = Caller::user(id("root"), Vec::new(), true);
        assert_eq!(admin.may_write(&VolumeRef::system()), Ok(()));
    }

    #[test]
    fn a_key_that_reads_changes_nothing_and_tells_nothing() {
        let alice = of(Volume::User, id("alice"));
        let key = Caller::key("k", Some(alice.clone()), true);
        assert_eq!(key.may_read(&alice), Ok(()));
        assert_eq!(key.may_write(&alice), Err(Denied::ReadOnly));
        let bob = of(Volume::User, id("bob"));
        assert_eq!(key.may_write(&bob), Err(Denied::Hidden));
    }

    #[test]
    fn default_is_the_callers_own() {
        let default = || VolumeId::default();
        let alice = Caller::user(id("alice"), vec![id("red")], false);
        assert_eq!(
            alice.resolve(Volume::User, default()),
            of(Volume::User, id("alice"))
        );
        assert_eq!(
            alice.resolve(Volume::Team, default()),
            of(Volume::Team, default())
        );
        let key = Caller::key("k", Some(of(Volume::Team, id("red"))), false);
        assert_eq!(
            key.resolve(Volume::Team, default()),
            of(Volume::Team, id("red"))
        );
        let anybody = Caller::anybody();
        assert_eq!(anybody.own(), of(Volume::User, default()));
    }

    #[test]
    fn what_one_caller_owns_no_other_has() {
        let alice = Caller::user(id("alice"), Vec::new(), false);
        let key = Caller::key("alice", None, false);
        let names = [
            alice.owned("k"),
            key.owned("k"),
            Caller::anybody().owned("k"),
        ];
        assert_eq!(
            names.iter().collect::<std::collections::HashSet<_>>().len(),
            3
        );
        assert_eq!(names[2], "k");
    }
}
