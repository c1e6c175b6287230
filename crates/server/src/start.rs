//! From a folder to a server that serves.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use uuid::Uuid;

use crate::app::{App, Env, Shared};
use crate::args::{Args, Serving};
use crate::authority::Authority;
use crate::backup;
use crate::erased;
use crate::failure::Failure;
use crate::office;
use crate::office::people::{FIRST_LOGIN, add_administrator};
use crate::routes::router;
use crate::serve::{own_names, serve};
use crate::store::postgres::{self, Postgres};
use crate::store::sqlite::Sqlite;
use crate::store::{Quota, SERVER, Store};
use crate::words::Words;

/// Connections to PostgreSQL of one process.
const CONNECTIONS: usize = 16;
/// Word and name of the hospital made on first start, where none was given.
const FIRST_WORD: &str = "main";

/// Opens what the arguments name.
///
/// # Errors
/// `restore_unfinished`; files, the authority's, the store's.
pub async fn open(args: &Args, env: Env) -> Result<Shared, Failure> {
    if backup::is_unfinished(&args.home) {
        return Err(Failure::new("restore_unfinished", args.home.display()));
    }
    open_restored(args, env).await
}

/// The same for a home into which a backup is just being put.
///
/// # Errors
/// Files, the authority's, the store's.
pub async fn open_restored(args: &Args, env: Env) -> Result<Shared, Failure> {
    make_home(&args.home)?;
    let authority = Authority::open(&args.home, (env.now)())?;
    let store: Arc<dyn Store> = match &args.database {
        Some(url) => {
            if let Some(owner) = &args.database_owner {
                postgres::migrate(owner, &postgres::role_of(url)?).await?;
            }
            Arc::new(Postgres::open(url, CONNECTIONS).await?)
        }
        None => Arc::new(Sqlite::open(&args.home)?),
    };
    Ok(Arc::new(App::new(args.home.clone(), store, authority, env)))
}

/// Makes the server's folder, shut to others where the system has modes.
///
/// # Errors
/// When it cannot be made.
pub fn make_home(home: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home).map_err(Failure::file(home))
}

/// Makes the first hospital and the first administrator, where there are none. What people must
/// know of it is printed once.
///
/// # Errors
/// The store's.
pub async fn first_start(app: &App, serving: &Serving, words: &Words) -> Result<(), Failure> {
    let nobody = Uuid::nil();
    if app.store.users(SERVER).await?.is_empty() {
        let password = add_administrator(app, nobody, FIRST_LOGIN, FIRST_LOGIN).await?;
        println!("{}", words.text("first_administrator", &[("login", FIRST_LOGIN), ("password", &password)]));
    }
    if app.store.tenants().await?.is_empty() {
        let default = words.text("first_hospital", &[]);
        let name = serving.hospital.as_deref().unwrap_or(&default);
        office::add_hospital(app, nobody, FIRST_WORD, name, Quota::default()).await?;
    }
    Ok(())
}

/// Serves until `stop` comes true.
///
/// # Errors
/// When the address is taken or no certificate can be made.
pub async fn run(
    app: Shared,
    serving: &Serving,
    words: &Words,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    first_start(&app, serving, words).await?;
    if let Err(failure) = erased::keep(&app).await {
        tracing::error!(%failure, "the list of erasures was not brought up to the database");
    }
    let listener = TcpListener::bind(serving.listen).await.map_err(crate::serve::ServeError::Listen)?;
    let address = listener.local_addr().map_err(crate::serve::ServeError::Listen)?;
    let names = own_names(&serving.names, address);
    println!("{}", words.text("serving", &[("address", &address.to_string()), ("names", &names.join(", "))]));
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "serving");
    let router = router(Arc::clone(&app));
    serve(listener, app, router, names, stop).await?;
    tracing::info!("stopped");
    Ok(())
}
