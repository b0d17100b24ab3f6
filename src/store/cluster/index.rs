//! Changes of the indexes and of the registered system volumes.

use redis::cmd;

use super::multi_slot::MultiSlot;
use crate::store::call::{Call, Envelope};
use crate::store::connection::Idempotence;
use crate::store::error::{Error, Result};
use crate::store::keys::SYSTEM_VOLUMES;
use crate::store::script;

/// The entry of a session in an index: the arguments of `scripts/cluster/index_put.lua`.
pub(super) struct IndexEntry {
    pub(super) id: Vec<u8>,
    pub(super) micros: Vec<u8>,
    pub(super) bucket: Vec<u8>,
    pub(super) details: Vec<u8>,
    pub(super) created: Vec<u8>,
}

impl MultiSlot<'_> {
    /// Puts a session into the index of a scope. `is_forced` replaces a later activity in the index.
    pub(super) async fn index_put(
        self,
        scope: &[u8],
        entry: &IndexEntry,
        is_forced: bool,
    ) -> Result<()> {
        let arguments: [&[u8]; 6] = [
            &entry.id,
            &entry.micros,
            &entry.bucket,
            &entry.details,
            &entry.created,
            if is_forced { b"1" } else { b"" },
        ];
        self.run_on_index(&script::INDEX_PUT, scope, &arguments)
            .await
    }

    /// Removes a session from the index of a scope.
    pub(super) async fn index_remove(self, scope: &[u8], id: &[u8]) -> Result<()> {
        self.run_on_index(&script::INDEX_REMOVE, scope, &[id]).await
    }

    /// Registers a system volume; does nothing for an empty id.
    pub(super) async fn register_system_volume(self, id: &[u8]) -> Result<()> {
        if id.is_empty() {
            return Ok(());
        }
        let call = Call::new(&script::ADD_SYSTEM_VOLUME, vec![SYSTEM_VOLUMES.into()]).arg(id);
        let reply = self.runner.run(&call, &Envelope::internal()).await;
        reply.map(drop)
    }

    /// Returns the scopes of the system volumes: `default`, where the Python version stores system sessions, `system`,
    /// where skills are, and the registered ones.
    pub(super) async fn system_scopes(self) -> Result<Vec<Vec<u8>>> {
        let mut command = cmd("SMEMBERS");
        command.arg(SYSTEM_VOLUMES);
        let connection = self.runner.connection();
        let registered: Result<Vec<Vec<u8>>> =
            connection.command(&command, Idempotence::Safe).await;
        let mut ids = match registered {
            // A value that is not a set contains no volumes.
            Err(Error::Unreadable(_)) => Vec::new(),
            registered => registered?,
        };
        ids.extend([b"default".to_vec(), b"system".to_vec()]);
        Ok(ids.iter().map(|id| [b"system:", &**id].concat()).collect())
    }
}
