//! Any WebSocket that sends JSON: opened with headers, greeted with messages; its posts are found
//! by pointers.

use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};

use super::socket::Protocol;
use crate::base::items::items;
use crate::base::model::{Frame, Pointer, SourceInfo};
use crate::base::secret::Secret;
use crate::base::time::Time;

/// A subscription.
#[derive(Clone, Debug)]
pub struct JsonSocket {
    /// The source.
    pub source: Arc<SourceInfo>,
    /// `ws://` or `wss://`.
    pub url: String,
    /// Headers of the request.
    pub headers: Vec<(String, Secret)>,
    /// Messages that are sent when it is open.
    pub subscribe: Vec<String>,
    /// Where the list of posts stands in a message that holds several; other messages are one post.
    pub items: Option<Pointer>,
}

impl Protocol for JsonSocket {
    fn source(&self) -> &Arc<SourceInfo> {
        &self.source
    }

    async fn request(&mut self) -> Result<Request, String> {
        // what a URL or header holds is not told: it may be a secret
        let mut request = self.url.as_str().into_client_request().map_err(|_| "expected a URL, found none")?;
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|_| "expected a header's name, found none")?;
            let mut value = HeaderValue::try_from(value.expose())
                .map_err(|_| format!("expected a header's value in {name}, found none"))?;
            value.set_sensitive(true);
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    fn greetings(&self) -> Vec<String> {
        self.subscribe.clone()
    }

    fn frames(&mut self, message: Bytes, _binary: bool, received: Time, out: &mut Vec<Frame>) {
        let list = self.items.as_ref().zip(std::str::from_utf8(&message).ok());
        let found = list.and_then(|(pointer, text)| items(text, pointer));
        let Some(found) = found else {
            out.push(Frame { bytes: message, received: Some(received), oversize: false });
            return;
        };
        let frame =
            |item: &str| Frame { bytes: message.slice_ref(item.as_bytes()), received: Some(received), oversize: false };
        out.extend(found.texts.iter().map(|item| frame(item)));
        if found.left_out > 0 {
            // what is beyond the limit ends as one frame that is too long
            out.push(Frame { bytes: Bytes::new(), received: Some(received), oversize: true });
        }
    }
}
