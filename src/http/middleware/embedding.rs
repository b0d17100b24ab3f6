//! Which pages may show a file: `Cross-Origin-Resource-Policy`.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::cors::matches_any;
use super::cross_site;
use super::response_headers::CROSS_ORIGIN_RESOURCE_POLICY;
use crate::util::origin::OriginPattern;

/// The pages that may show a file, as an `<img>` does. Such a request has no `Origin`, and CORS does not apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embedding {
    /// Only pages of this service.
    SameOrigin,
    /// Pages of every origin.
    CrossOrigin,
}

impl Embedding {
    /// Returns the policy of a signed link: pages of every origin if `CORS_ALLOWED_ORIGINS` is set, otherwise pages of
    /// this service.
    pub(crate) fn of_link(origins: &[OriginPattern]) -> Self {
        Self::cross_origin_if(!origins.is_empty())
    }

    /// Returns the policy of a file without a link: pages of allowed origins. The page is identified by its
    /// `Origin` or `Referer`. A browser that sends neither usually reports the relation of the page in `Sec-Fetch-Site`.
    pub(crate) fn of_page(headers: &HeaderMap, origins: &[OriginPattern]) -> Self {
        let origin = headers.get(header::ORIGIN).cloned();
        Self::cross_origin_if(match origin.or_else(|| referring_origin(headers)) {
            Some(origin) => matches_any(&origin, origins),
            None => !origins.is_empty() && !cross_site::is_sent_by_other_page(headers),
        })
    }

    fn cross_origin_if(is_allowed: bool) -> Self {
        if is_allowed {
            Self::CrossOrigin
        } else {
            Self::SameOrigin
        }
    }

    /// Sets the `Cross-Origin-Resource-Policy` of a response.
    pub(crate) fn apply(self, mut response: Response) -> Response {
        let policy = HeaderValue::from_static(match self {
            Self::SameOrigin => "same-origin",
            Self::CrossOrigin => "cross-origin",
        });
        response
            .headers_mut()
            .insert(CROSS_ORIGIN_RESOURCE_POLICY, policy);
        response
    }
}

/// Returns the origin of the `Referer`, which is a URL or an origin with a slash.
fn referring_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let (scheme, rest) = referer.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    HeaderValue::try_from(format!("{scheme}://{host}")).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    #[test]
    fn file_is_shown_by_pages_that_cors_allows() {
        let origins = ["https://*.example.com".parse().unwrap()];
        let of_page = |pairs: &[(&'static str, &'static str)], origins: &[OriginPattern]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            Embedding::of_page(&pairs.collect(), origins)
        };
        for allowed in [
            &[("referer", "https://app.example.com/")][..],
            &[("referer", "https://app.example.com/page?x#y")],
            &[("origin", "https://app.example.com")],
            &[
                ("origin", "https://app.example.com"),
                ("referer", "https://evil.example/"),
            ],
            &[],
            &[("sec-fetch-site", "none")],
        ] {
            assert_eq!(
                of_page(allowed, &origins),
                Embedding::CrossOrigin,
                "{allowed:?}"
            );
            assert_eq!(of_page(allowed, &[]), Embedding::SameOrigin, "{allowed:?}");
        }
        for other in [
            &[("referer", "https://evil.example/https://app.example.com/")][..],
            &[("referer", "https://app.example.com@evil.example/")],
            &[("referer", "https://evil.example?https://app.example.com")],
            &[("origin", "null")],
            &[
                ("origin", "https://evil.example"),
                ("referer", "https://app.example.com/"),
            ],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
        ] {
            assert_eq!(of_page(other, &origins), Embedding::SameOrigin, "{other:?}");
        }
        assert_eq!(Embedding::of_link(&origins), Embedding::CrossOrigin);
        assert_eq!(Embedding::of_link(&[]), Embedding::SameOrigin);
    }
}
