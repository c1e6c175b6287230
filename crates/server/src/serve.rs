//! TLS and HTTP/1.1 over a listening socket, until told to stop. A desk has one request under way
//! at a time, so HTTP/2 would bring it nothing.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use crate::app::Shared;
use crate::authority::AuthorityError;

/// How long a client may take for its part of the handshake or a request's head.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long requests under way may go on after the stop.
const FAREWELL: Duration = Duration::from_secs(20);
/// A new certificate is made this often.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 3600);
/// Most connections at once.
const MOST_CONNECTIONS: usize = 4096;

/// The client's address, beside each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS refuses what it was given.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The address cannot be listened on.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

/// The certificate in use; exchanged while the server runs.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().ok().map(|key| Arc::clone(&key))
    }
}

fn certify(app: &Shared, names: &[String]) -> Result<Arc<CertifiedKey>, ServeError> {
    let issued = app.authority.issue(names, app.now())?;
    let key = any_supported_type(&issued.key)?;
    Ok(Arc::new(CertifiedKey::new(issued.chain, key)))
}

/// Serves until `stop` comes true, then lets what is under way end.
///
/// # Errors
/// When no certificate can be made for `names`.
pub async fn serve(
    listener: TcpListener,
    app: Shared,
    router: Router,
    names: Vec<String>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let current = Arc::new(Current(RwLock::new(certify(&app, &names)?)));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A desk that comes every few minutes goes on from its last handshake: kept here, because a ticket that the desk keeps
    // sealed is four times as long and crosses the line twice. Another process, or this one after a restart, shakes hands
    // in full again. One at a time is enough for one connection at a time.
    config.session_storage = ServerSessionMemoryCache::new(MOST_CONNECTIONS);
    config.send_tls13_tickets = 1;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let renewal = tokio::spawn(renew(Arc::clone(&app), names, current));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: others must close first.
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("too many connections");
            continue;
        };
        let (app, router, acceptor) = (Arc::clone(&app), router.clone(), acceptor.clone());
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            app.metrics.connections.fetch_add(1, Ordering::Relaxed);
            if let Some(connection) = shake_hands(acceptor, stream, peer, router).await {
                // A client that goes away in the middle is no event.
                let _ = watcher.watch(connection).await;
            }
            app.metrics.connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    drop(listener);
    app.stop();
    renewal.abort();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(FAREWELL) => tracing::warn!("requests were cut off at the stop"),
    }
    Ok(())
}

type Connection<S> = http1::Connection<TokioIo<tokio_rustls::server::TlsStream<TcpStream>>, S>;

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> Option<
    Connection<
        impl hyper::service::Service<
            hyper::Request<Incoming>,
            Response = axum::response::Response,
            Error = std::convert::Infallible,
            Future: Send,
        >,
    >,
> {
    let _ = stream.set_nodelay(true);
    let stream = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await.ok()?.ok()?;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.clone().call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    Some(http.serve_connection(TokioIo::new(stream), service))
}

async fn renew(app: Shared, names: Vec<String>, current: Arc<Current>) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match certify(&app, &names) {
            Ok(key) => {
                if let Ok(mut place) = current.0.write() {
                    *place = key;
                }
                tracing::info!("certificate renewed");
            }
            Err(error) => tracing::error!(%error, "certificate not renewed"),
        }
    }
}

/// Ends at ctrl-c or, where there is one, at SIGTERM.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// The names and addresses under which desks may reach this machine: those that were given, the
/// host's name, the address it listens on or goes out by, and the machine itself.
pub fn own_names(given: &[String], listen: SocketAddr) -> Vec<String> {
    let mut names: Vec<String> = given.to_vec();
    names.extend(host_name());
    if listen.ip().is_unspecified() {
        names.extend(outward_address().map(|address| address.to_string()));
    } else {
        names.push(listen.ip().to_string());
    }
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn host_name() -> Option<String> {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or(std::env::var("COMPUTERNAME").ok())?;
    let name = name.trim().to_ascii_lowercase();
    let fit = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    fit.then_some(name)
}

/// The address that the machine would use to the outside. Nothing is sent.
fn outward_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}
