//! Loopback HTTP host of the command dispatcher for browser tests. Never shipped.
//!
//! The page is served as the desktop serves it, with the same content policy, and calls the same commands over
//! HTTP. Dialogs are answered from a queue, dialled addresses are collected, and the clock can be set.

mod clock;
mod files;
mod guard;
mod routes;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aftercare_core::App as Core;
use aftercare_core::env::{Env, PasswordCost};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

pub use clock::TestClock;

/// Events that a slow page may be behind before it loses the oldest.
const EVENTS: usize = 1024;

/// What every request works on.
#[derive(Clone)]
pub struct Host {
    core: Arc<Core>,
    clock: TestClock,
    events: broadcast::Sender<Value>,
    answers: Arc<Mutex<Vec<Option<String>>>>,
    dialled: Arc<Mutex<Vec<String>>>,
    page: PathBuf,
}

/// A host on the data folder `home` that serves the page from `page`. Passwords are cheap here: tests log in often.
///
/// # Errors
/// When the data folder cannot be opened.
pub fn open(home: &Path, page: &Path) -> aftercare_core::error::Result<Host> {
    let clock = TestClock::default();
    let reading = clock.clone();
    let env = Env {
        clock: Arc::new(move || reading.now()),
        password_cost: PasswordCost::Fixed { memory_kib: 256, passes: 1 },
        release_keys: Vec::new(),
    };
    let core = Core::open(home, env)?;
    let (events, _) = broadcast::channel(EVENTS);
    let sender = events.clone();
    core.subscribe(move |event| {
        if let Ok(event) = serde_json::to_value(event) {
            // Nobody listening is no failure.
            let _ = sender.send(event);
        }
    });
    let ticking = Arc::clone(&core);
    std::thread::spawn(move || {
        loop {
            ticking.tick();
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    Ok(Host {
        core,
        clock,
        events,
        answers: Arc::default(),
        dialled: Arc::default(),
        page: page.to_path_buf(),
    })
}

/// Serves on a free loopback port and hands its address to `ready` before the first request.
///
/// # Errors
/// When no port can be bound.
pub async fn serve(host: Host, ready: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let router = routes::router(host, address);
    ready(address);
    axum::serve(listener, router).await
}
