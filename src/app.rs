//! The application: configuration, storage clients, and the services of a request.

use std::sync::Arc;

use crate::auth::Authenticator;
use crate::blob::{BlobClient, Blobs};
use crate::config::Config;
use crate::domain::request_context::RequestContext;
use crate::service::chat::{ChatDeps, ChatService, LiveTurns};
use crate::service::fallback::SamplePolicy;
use crate::service::files::FileService;
use crate::service::sessions::SessionService;
use crate::service::skills::SkillService;
use crate::store::Store;
use crate::util::background::Background;

/// The application, built once per process. Cloning it copies pointers.
#[derive(Clone, Debug)]
pub struct App {
    /// The configuration.
    pub config: Arc<Config>,
    /// Redis: sessions, messages, and the cache and usage counts of skills.
    pub store: Arc<Store>,
    /// Vercel Blob: skills and files.
    pub blobs: BlobClient,
    /// The check of credentials.
    pub authenticator: Arc<Authenticator>,
    /// Work that goes on after the response of its request.
    pub(crate) background: Background,
    chat: ChatDeps,
}

impl App {
    /// Builds the application without connecting to anything.
    pub fn new(config: Config) -> Self {
        Self::with_background(config, Background::default())
    }

    /// Builds the application with the background of its process.
    pub fn with_background(config: Config, background: Background) -> Self {
        let url = config.redis_url.as_ref().map(|url| url.reveal().to_owned());
        let store = Arc::new(Store::new(url, config.redis_ca_cert.clone()));
        let blobs = BlobClient::new(config.blob.clone());
        Self {
            chat: ChatDeps {
                store: store.clone(),
                blobs: blobs.clone(),
                chat: Arc::new(config.chat.clone()),
                refuses_strangers: config.access.is_network_reachable
                    && !config.access.auth.is_configured()
                    && !config.chat.allow_anonymous,
                models: Arc::new(config.model.clone()),
                turns: Arc::new(LiveTurns::default()),
                max_duration: config.max_duration(),
                shutdown: background.shutdown(),
            },
            background,
            store,
            blobs,
            authenticator: Arc::new(Authenticator::new(&config.access.auth)),
            config: Arc::new(config),
        }
    }

    /// Returns the operations on sessions, for one request.
    pub fn sessions<'a>(&'a self, context: &'a RequestContext) -> SessionService<'a> {
        SessionService::new(&self.store, self.sample_policy(), context)
    }

    /// Returns the operations on skills, for one request.
    pub fn skills<'a>(&'a self, context: &'a RequestContext) -> SkillService<'a> {
        let blobs = self.blobs_of(context);
        SkillService::new(blobs, &self.store, self.sample_policy(), context)
    }

    /// Returns the chat, for one request.
    pub fn chat<'a>(&self, context: &'a RequestContext) -> ChatService<'a> {
        ChatService::new(self.chat.clone(), context)
    }

    /// Returns the operations on files, for one request.
    pub fn files<'a>(&self, context: &'a RequestContext) -> FileService<'a> {
        FileService::new(self.blobs_of(context), context)
    }

    /// Returns the Blob client of one request.
    pub(crate) fn blobs_of(&self, context: &RequestContext) -> Blobs {
        self.blobs.blobs(context.oidc_token.as_ref())
    }

    fn sample_policy(&self) -> SamplePolicy {
        SamplePolicy {
            without_storage: self.config.samples_without_storage(),
            while_unavailable: self.config.samples_while_storage_is_down(),
        }
    }
}
