//! Configuration of Vercel Blob.

use super::variable::parse_base_url;
use super::{ConfigError, Environment};
use crate::blob::{BlobAccess, BlobConfig};
use crate::util::secret::Secret;

pub(super) fn read(environment: &Environment<'_>) -> Result<BlobConfig, ConfigError> {
    let access = [
        ("private", BlobAccess::Private),
        ("public", BlobAccess::Public),
    ];
    Ok(BlobConfig {
        read_write_token: environment
            .variable("BLOB_READ_WRITE_TOKEN")
            .map(Secret::new),
        store_id: environment.variable("BLOB_STORE_ID"),
        access: environment
            .parse_choice("BLOB_ACCESS", access, "private or public")?
            .unwrap_or_default(),
        api_url: base_url(environment, "VERCEL_BLOB_API_URL")?,
        browser_api_url: None,
        content_url: base_url(environment, "BLOB_CONTENT_URL")?,
        link_secret: None,
        oidc_token: environment.variable("VERCEL_OIDC_TOKEN").map(Secret::new),
    })
}

fn base_url(
    environment: &Environment<'_>,
    name: &'static str,
) -> Result<Option<String>, ConfigError> {
    let expected = "an http or https URL without query, such as http://127.0.0.1:3000/_blob";
    environment.parse_with(name, expected, parse_base_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_has_no_slash_at_its_end_and_no_query() {
        for (value, url) in [
            (
                "http://127.0.0.1:3000/_blob",
                Some("http://127.0.0.1:3000/_blob"),
            ),
            (
                "https://blob.example/api/blob/",
                Some("https://blob.example/api/blob"),
            ),
            ("127.0.0.1:3000/_blob", None),
            ("\"http://127.0.0.1:3000/_blob\"", None),
            ("ftp://blob.example", None),
            ("https://blob.example/?a=b", None),
            ("https://blob.example/#a", None),
        ] {
            for name in ["VERCEL_BLOB_API_URL", "BLOB_CONTENT_URL"] {
                let lookup = |variable: &str| (variable == name).then(|| value.into());
                let found = read(&Environment(&lookup)).ok();
                let found = found.map(|config| config.api_url.or(config.content_url));
                assert_eq!(found.flatten().as_deref(), url, "{name}={value}");
            }
        }
    }
}
