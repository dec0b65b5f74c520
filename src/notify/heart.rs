//! The heartbeat: a URL that is called as long as all is well, so that somebody else notices our silence.

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderMap;

use super::http::Http;
use crate::base::limits;
use crate::base::secret::Secret;

/// Beats.
pub struct Heart {
    url: Url,
    http: Http,
}

impl Heart {
    /// At a URL, which may hold a secret.
    ///
    /// # Errors
    /// What is wrong with it, without secrets.
    pub fn new(url: &Secret) -> Result<Heart, String> {
        let parsed = Url::parse(url.expose()).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        let parsed =
            parsed.ok_or("heartbeat: expected a URL that begins with https:// or http://, found another text")?;
        let secrets = vec![url.expose().to_string(), parsed.path().trim_start_matches('/').to_string()];
        let http = Http::new(&"heartbeat".into(), limits::DELIVERY_TIMEOUT, Vec::new(), secrets)?;
        Ok(Heart { url: parsed, http })
    }

    /// Once.
    ///
    /// # Errors
    /// Why it was not heard, without secrets.
    pub async fn beat(&self) -> Result<(), String> {
        let said = self.http.post(&self.url, HeaderMap::new(), Bytes::from_static(b"{\"groundswell\":\"well\"}")).await;
        if said.tried.why.is_empty() { Ok(()) } else { Err(said.tried.why) }
    }
}
