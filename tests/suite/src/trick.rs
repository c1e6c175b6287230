//! A server that speaks with the right certificate and says what it should not: what a desk makes of a
//! damaged, a newer or an overloaded server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use aftercare_server::authority::Authority;
use rustls::crypto::ring::default_provider;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Answer;

/// How long a desk may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it says to a request.
pub struct Said {
    /// The status.
    pub status: u16,
    /// What kind of body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// A server that is not one. It ends when it is dropped.
pub struct Trick {
    ending: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Trick {
    /// Listens at `listen` with a certificate of the authority in `home`; `says` answers by the path asked for.
    ///
    /// # Errors
    /// When the address is taken or the authority cannot be read.
    pub fn open(
        home: &Path,
        listen: SocketAddr,
        says: impl Fn(&str) -> Said + Send + Sync + 'static,
    ) -> Answer<Self> {
        let now = chrono::Utc::now().timestamp_millis();
        let issued = Authority::open(home, now)?.issue(&[listen.ip().to_string()], now)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(issued.chain, issued.key)?;
        let config = Arc::new(config);
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let ending = Arc::new(AtomicBool::new(false));
        let accepting = std::thread::spawn({
            let ending = Arc::clone(&ending);
            move || {
                while !ending.load(Ordering::Relaxed) {
                    match listener.accept() {
                        // A desk that turns away in the middle is what is being tested.
                        Ok((desk, _)) => drop(answer(desk, &config, &says)),
                        Err(_) => std::thread::sleep(Duration::from_millis(2)),
                    }
                }
            }
        });
        Ok(Self { ending, accepting: Some(accepting) })
    }
}

impl Drop for Trick {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// One request, one answer.
fn answer(desk: TcpStream, config: &Arc<ServerConfig>, says: &impl Fn(&str) -> Said) -> Answer {
    desk.set_nonblocking(false)?;
    desk.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(config))?, desk);
    let mut heard = Vec::new();
    let mut buffer = [0_u8; 4096];
    let end = loop {
        if let Some(end) = heard.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            got => heard.extend_from_slice(&buffer[..got]),
        }
    };
    let head = String::from_utf8_lossy(&heard[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    let mut left = length.saturating_sub(heard.len() - end);
    while left > 0 {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            got => left = left.saturating_sub(got),
        }
    }
    let Said { status, content_type, body } = says(head.split(' ').nth(1).unwrap_or_default());
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}
