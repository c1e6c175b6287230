//! A desk's line, as cheap as it can be made: one connection that stays, requests signed as a desk signs them.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::sync::Arc;

use aftercare_sync::door::{
    HEADER_AT, HEADER_SIGNATURE, PACKED, TokenAnswer, TokenRequest, base64url, request_text, token_text,
};
use chrono::Utc;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::central::Enrolled;

/// What came back.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// An open connection to one server.
pub struct Line {
    stream: TlsStream<TcpStream>,
    read: Vec<u8>,
}

/// Trusts one authority (DER).
pub fn trusting(authority: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

impl Line {
    /// Connects.
    pub async fn open(address: SocketAddr, tls: &TlsConnector) -> Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let name = ServerName::from(address.ip());
        Ok(Self { stream: tls.connect(name, socket).await?, read: Vec::with_capacity(16 << 10) })
    }

    /// A token for the desk.
    pub async fn token(&mut self, desk: &Enrolled) -> Result<String> {
        let at_millis = Utc::now().timestamp_millis();
        let signature = desk.key.sign(token_text(desk.device, at_millis).as_bytes()).as_ref().to_vec();
        let body = serde_json::to_vec(&TokenRequest { device: desk.device, at_millis, signature })?;
        let head = "content-type: application/json\r\n";
        let reply = self.ask("POST", "/v1/token", head, &body).await?;
        match reply.status {
            200 => Ok(serde_json::from_slice::<TokenAnswer>(&reply.body)?.token),
            status => Err(Error::new(ErrorKind::PermissionDenied, format!("no token: {status}"))),
        }
    }

    /// A signed request.
    pub async fn signed(
        &mut self,
        desk: &Enrolled,
        token: &str,
        (method, target): (&str, &str),
        body: &[u8],
    ) -> Result<Reply> {
        let at = Utc::now().timestamp_millis();
        let text = request_text(method, target, body, at, token);
        let signature = base64url::encode(desk.key.sign(text.as_bytes()).as_ref());
        let head = format!(
            "authorization: Bearer {token}\r\n{HEADER_AT}: {at}\r\n{HEADER_SIGNATURE}: {signature}\r\n\
             content-type: {PACKED}\r\n"
        );
        self.ask(method, target, &head, body).await
    }

    async fn ask(&mut self, method: &str, target: &str, head: &str, body: &[u8]) -> Result<Reply> {
        let length = body.len();
        let mut message =
            format!("{method} {target} HTTP/1.1\r\nhost: server\r\n{head}content-length: {length}\r\n\r\n")
                .into_bytes();
        message.extend_from_slice(body);
        self.stream.write_all(&message).await?;
        self.stream.flush().await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Reply> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.read[..end]).to_ascii_lowercase();
        let garbled = || Error::new(ErrorKind::InvalidData, "no HTTP");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(garbled)?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(Some(0), |word| word.trim().parse().ok()).ok_or_else(garbled)?;
        while self.read.len() < end + length {
            self.more().await?;
        }
        let body = self.read[end..end + length].to_vec();
        self.read.drain(..end + length);
        Ok(Reply { status, body })
    }

    async fn more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
