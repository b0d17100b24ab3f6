//! The authenticated caller of a request, and their access to volumes. No I/O.

use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::util::hash::sha256_hex;

/// The highest number of teams of one caller.
pub const MAX_TEAMS: usize = 100;

/// A caller with valid credentials, or without credentials where none are required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Unique per caller, such as `user alice` or `key deploy admin`; empty where callers are not authenticated.
    name: String,
    user: Option<VolumeId>,
    teams: Vec<VolumeId>,
    is_admin: bool,
    is_read_only: bool,
    /// Problems of the credentials that do not prevent their use.
    warnings: Vec<String>,
}

/// The reason why an operation is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// The caller may not learn whether the resource exists (reported as 404).
    NotFound,
    /// The caller may read the resource but not change it.
    ReadOnly,
}

impl Caller {
    /// Returns the caller of a server without access control, who may do everything.
    pub fn unrestricted() -> Self {
        Self {
            name: String::new(),
            user: None,
            teams: Vec::new(),
            is_admin: true,
            is_read_only: false,
            warnings: Vec::new(),
        }
    }

    /// Returns a user who authenticated with a token.
    pub fn user(id: VolumeId, teams: Vec<VolumeId>, is_admin: bool) -> Self {
        Self {
            name: format!("user {}", id.as_str()),
            user: Some(id),
            teams,
            is_admin,
            ..Self::unrestricted()
        }
    }

    /// Returns a program with the API key of this name: limited to one user's or team's volume, or, without
    /// `volume`, an admin.
    pub fn key(name: &str, volume: Option<Volume>, is_read_only: bool) -> Self {
        let is_admin = volume.is_none();
        let scope = volume
            .as_ref()
            .map_or_else(|| "admin".to_owned(), ToString::to_string);
        let (user, team) = match volume {
            Some(volume) if volume.kind == VolumeKind::User => (Some(volume.id), None),
            Some(volume) if volume.kind == VolumeKind::Team => (None, Some(volume.id)),
            _ => (None, None),
        };
        Self {
            // The scope is part of the name: after a change of scope the key is another caller, without access to
            // the idempotency records and cursors of the former one.
            name: format!("key {name} {scope}"),
            user,
            teams: team.into_iter().collect(),
            is_admin,
            is_read_only,
            warnings: Vec::new(),
        }
    }

    /// Returns this caller with warnings about their credentials.
    #[must_use]
    pub fn with_warnings(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    /// Returns the problems of the credentials that do not prevent their use.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the unique name of the caller; empty where callers are not authenticated.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the teams of the caller.
    pub fn teams(&self) -> &[VolumeId] {
        &self.teams
    }

    /// Returns the volume of a request that names none.
    pub fn default_volume(&self) -> Volume {
        match (&self.user, self.teams.first()) {
            (None, Some(team)) => Volume::new(VolumeKind::Team, team.clone()),
            (user, _) => Volume::new(VolumeKind::User, user.clone().unwrap_or_default()),
        }
    }

    /// Returns the volume that a request names by `kind` and `id`; the id `default` is an alias of the caller's own.
    pub fn resolve(&self, kind: VolumeKind, id: VolumeId) -> Volume {
        let own = self.default_volume();
        if id == VolumeId::default() && own.kind == kind {
            own
        } else {
            Volume::new(kind, id)
        }
    }

    /// Checks that the caller may read `volume`.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] if they may not.
    pub fn may_read(&self, volume: &Volume) -> Result<(), AccessError> {
        let is_readable = self.is_admin
            || match volume.kind {
                VolumeKind::System => true,
                VolumeKind::User => self.user.as_ref() == Some(&volume.id),
                VolumeKind::Team => self.teams.contains(&volume.id),
            };
        is_readable.then_some(()).ok_or(AccessError::NotFound)
    }

    /// Returns whether the caller may read stored data with this volume. Unlike a [`VolumeId`], `id` is any text.
    pub fn can_read_raw(&self, kind: VolumeKind, id: &str) -> bool {
        match VolumeId::try_from(id.to_owned()) {
            Ok(id) => self.may_read(&Volume::new(kind, id)).is_ok(),
            // No token or key can have an invalid id.
            Err(_) => self.is_admin || kind == VolumeKind::System,
        }
    }

    /// Checks that the caller may change `volume`. Only admins may change a system volume.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] if they may not read it, [`AccessError::ReadOnly`] if they may only read it.
    pub fn may_write(&self, volume: &Volume) -> Result<(), AccessError> {
        self.may_read(volume)?;
        let is_owner = self.is_admin || volume.kind != VolumeKind::System;
        (is_owner && self.can_write())
            .then_some(())
            .ok_or(AccessError::ReadOnly)
    }

    /// Returns whether the caller may change any volume; `false` for read-only API keys.
    pub fn can_write(&self) -> bool {
        !self.is_read_only
    }

    /// Returns the caller's own volumes, without system volumes; `None` for admins, who may read every volume.
    pub fn volumes(&self) -> Option<Vec<Volume>> {
        if self.is_admin {
            return None;
        }
        let user = self.user.iter().map(|id| (VolumeKind::User, id));
        let teams = self.teams.iter().map(|id| (VolumeKind::Team, id));
        let volumes = user.chain(teams);
        Some(
            volumes
                .map(|(kind, id)| Volume::new(kind, id.clone()))
                .collect(),
        )
    }

    /// Returns a key that contains `name` and is bound to this caller: no other caller has the same key.
    ///
    /// A space, which `name` must not contain, separates the two.
    pub fn scoped_key(&self, name: &str) -> String {
        if self.name.is_empty() {
            return name.to_owned();
        }
        format!("{} {name}", sha256_hex::<16>(&[self.name.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> VolumeId {
        VolumeId::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn caller_reads_own_volumes_and_the_system_volume() {
        let alice = Caller::user(id("alice"), vec![id("red")], false);
        for (volume, may_read, may_write) in [
            (Volume::new(VolumeKind::User, id("alice")), Ok(()), Ok(())),
            (Volume::new(VolumeKind::Team, id("red")), Ok(()), Ok(())),
            (Volume::system(), Ok(()), Err(AccessError::ReadOnly)),
            (
                Volume::new(VolumeKind::User, id("red")),
                Err(AccessError::NotFound),
                Err(AccessError::NotFound),
            ),
            (
                Volume::new(VolumeKind::Team, id("alice")),
                Err(AccessError::NotFound),
                Err(AccessError::NotFound),
            ),
        ] {
            assert_eq!(alice.may_read(&volume), may_read, "{volume:?}");
            assert_eq!(alice.may_write(&volume), may_write, "{volume:?}");
        }
        let admin = Caller::user(id("root"), Vec::new(), true);
        assert_eq!(admin.may_write(&Volume::system()), Ok(()));
    }

    #[test]
    fn read_only_key_cannot_write_and_does_not_reveal_other_volumes() {
        let alice = Volume::new(VolumeKind::User, id("alice"));
        let key = Caller::key("k", Some(alice.clone()), true);
        assert_eq!(key.may_read(&alice), Ok(()));
        assert_eq!(key.may_write(&alice), Err(AccessError::ReadOnly));
        let bob = Volume::new(VolumeKind::User, id("bob"));
        assert_eq!(key.may_write(&bob), Err(AccessError::NotFound));
    }

    #[test]
    fn default_volume_id_resolves_to_the_callers_own() {
        let default = || VolumeId::default();
        let alice = Caller::user(id("alice"), vec![id("red")], false);
        assert_eq!(
            alice.resolve(VolumeKind::User, default()),
            Volume::new(VolumeKind::User, id("alice"))
        );
        assert_eq!(
            alice.resolve(VolumeKind::Team, default()),
            Volume::new(VolumeKind::Team, default())
        );
        let key = Caller::key("k", Some(Volume::new(VolumeKind::Team, id("red"))), false);
        assert_eq!(
            key.resolve(VolumeKind::Team, default()),
            Volume::new(VolumeKind::Team, id("red"))
        );
        let unrestricted = Caller::unrestricted();
        assert_eq!(
            unrestricted.default_volume(),
            Volume::new(VolumeKind::User, default())
        );
    }

    #[test]
    fn scoped_keys_of_different_callers_differ() {
        let alice = Caller::user(id("alice"), Vec::new(), false);
        let key = Caller::key("alice", None, false);
        let names = [
            alice.scoped_key("k"),
            key.scoped_key("k"),
            Caller::unrestricted().scoped_key("k"),
        ];
        assert_eq!(
            names.iter().collect::<std::collections::HashSet<_>>().len(),
            3
        );
        assert_eq!(names[2], "k");
    }
}
