//! The Blob checks of `llmos doctor`: token, connection, and the operations on a probe blob.

use std::time::Instant;

use llmos::blob::BlobAccess;
use llmos::blob::{
    BlobClient, Blobs, CACHE_SECONDS, Error, Fetched, Put, PutBody, PutOptions, WriteCondition,
    diagnose, redacted_token,
};
use llmos::config::Config;
use llmos::local::report::Report;
use llmos::util::diagnosis::Diagnosis;
use uuid::Uuid;

use super::{median, same};

/// Number of requests that are measured.
const HEADS: usize = 5;
/// Content of the probe blob.
const TEXT: &str = "text, also ünïcödé";

/// Checks the configured Blob store, or reports that none is configured.
pub(crate) async fn check(config: &Config, report: &mut Report) {
    let is_configured = config.blob.read_write_token.is_some() || config.blob.store_id.is_some();
    if !is_configured {
        // Not a failure: sessions do not need Blob.
        return report.note("Blob is not checked: BLOB_READ_WRITE_TOKEN is not set");
    }
    let address = config.blob.api_url.as_deref().unwrap_or("vercel.com");
    // The text before an @ may be a password.
    let address = address.rsplit('@').next().unwrap_or_default();
    report.note(&format!("Blob at {address}"));
    report.outcome("token", token(config));
    let client = BlobClient::new(config.blob.clone());
    let blobs = || client.blobs(None);
    if let Err(error) = blobs().probe().await {
        report.fail("connection", &diagnose(&error));
        return report.note("the other Blob checks are skipped: they need a connection");
    }
    report.outcome("connection", Ok(String::new()));

    let pathname = format!("llmos-doctor/{}.txt", Uuid::now_v7());
    let stored = put(&blobs(), &pathname).await;
    let has_stored = stored.is_ok();
    report.outcome("put", stored);
    if has_stored {
        report.outcome("head", head(&blobs(), &pathname).await);
        report.outcome("get", get(&blobs(), &pathname).await);
        report.outcome("list", list(&blobs(), &pathname).await);
        report.advice(
            "access",
            access(&blobs(), &pathname, config.blob.access).await,
        );
        report.outcome("request", time(&blobs(), &pathname).await);
        report.outcome("delete", delete(&blobs(), &pathname).await);
    }
}

fn token(config: &Config) -> Result<String, Diagnosis> {
    match (&config.blob.read_write_token, &config.blob.store_id) {
        (Some(token), _) => redacted_token(token.reveal()).ok_or_else(|| Diagnosis {
            cause: "BLOB_READ_WRITE_TOKEN is malformed: expected vercel_blob_rw_{store}_{secret}"
                .to_owned(),
            remedy: "copy it again from the store's page, without quotes or spaces",
        }),
        (None, Some(_)) if config.blob.oidc_token.is_some() => Ok("VERCEL_OIDC_TOKEN".to_owned()),
        (None, Some(_)) => Err(Diagnosis {
            cause: "BLOB_STORE_ID is set, but VERCEL_OIDC_TOKEN and BLOB_READ_WRITE_TOKEN are not"
                .to_owned(),
            remedy: "run `vercel env pull`, or set BLOB_READ_WRITE_TOKEN",
        }),
        (None, None) => Err(diagnose(&Error::NotConfigured)),
    }
}

async fn put(blobs: &Blobs, pathname: &str) -> Result<String, Diagnosis> {
    let options = PutOptions {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        cache_control_max_age: CACHE_SECONDS,
        condition: WriteCondition::IfMissing,
    };
    let body = PutBody::Bytes(TEXT.into());
    match blobs.put(pathname, body, &options).await? {
        Put::Done(blob) => same(&blob.pathname.as_str(), &pathname),
        Put::PreconditionFailed => Err(Diagnosis {
            cause: "the store reports that the new blob already exists".to_owned(),
            remedy: "try again; if it fails again, check that the address is that of a Blob store",
        }),
    }
}

async fn head(blobs: &Blobs, pathname: &str) -> Result<String, Diagnosis> {
    let size = blobs.head(pathname).await?.map(|blob| blob.size);
    same(&size, &Some(TEXT.len() as u64))
}

async fn get(blobs: &Blobs, pathname: &str) -> Result<String, Diagnosis> {
    let found = blobs
        .read(pathname, 1024)
        .await?
        .map(|document| document.body);
    let found = found.map(|body| String::from_utf8_lossy(&body).into_owned());
    same(&found.as_deref(), &Some(TEXT))
}

async fn list(blobs: &Blobs, pathname: &str) -> Result<String, Diagnosis> {
    let page = blobs.list(pathname, 10, None, false).await?;
    let found: Vec<&str> = page
        .blobs
        .iter()
        .map(|blob| blob.pathname.as_str())
        .collect();
    same(&found, &vec![pathname])
}

/// Checks that a request without the token can read a public blob and cannot read a private one.
async fn access(blobs: &Blobs, pathname: &str, access: BlobAccess) -> Result<String, Diagnosis> {
    let is_open = match blobs.get_anonymously(pathname).await {
        Ok(fetched) => matches!(fetched, Fetched::Found(_)),
        Err(Error::ErrorResponse { status, .. }) if matches!(status.as_u16(), 401 | 403) => false,
        Err(error) => return Err(diagnose(&error)),
    };
    match (access, is_open) {
        (BlobAccess::Private, false) => Ok("private: the token is required to read".to_owned()),
        (BlobAccess::Public, true) => {
            Ok("public: anyone with the URL of a blob can read it".to_owned())
        }
        (BlobAccess::Private, true) => Err(Diagnosis {
            cause: "anyone with the URL of a blob can read it, but BLOB_ACCESS is private"
                .to_owned(),
            remedy: "use a private store, or set BLOB_ACCESS to public if public access is intended",
        }),
        (BlobAccess::Public, false) => Err(Diagnosis {
            cause: "the token is required to read, but BLOB_ACCESS is public".to_owned(),
            remedy: "set BLOB_ACCESS to private",
        }),
    }
}

async fn time(blobs: &Blobs, pathname: &str) -> Result<String, Diagnosis> {
    let mut times = Vec::with_capacity(HEADS);
    for _ in 0..HEADS {
        let started = Instant::now();
        blobs.head(pathname).await?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}

async fn delete(blobs: &Blobs, pathname: &str) -> Result<String, Diagnosis> {
    blobs.delete(&[pathname], None).await?;
    same(&blobs.head(pathname).await?.is_some(), &false)
}
