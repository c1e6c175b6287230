//! The server: prepared through its own store while nobody serves, then a process of its own.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use aftercare_bench::desk::PASSWORD;
use aftercare_server::app::{App, Env, Shared, random};
use aftercare_server::args::Args;
use aftercare_server::password::{self, Cost};
use aftercare_server::serve::stop_signal;
use aftercare_server::store::{CodeUse, NewCode, NewDevice, Quota, ServerUser};
use aftercare_server::words::Words;
use aftercare_server::{logging, office, start};
use aftercare_sync::Scope;
use aftercare_sync::code::EnrolCode;
use clap::Parser;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::child::{self, itself, peak_of};
use crate::history::LOGIN;

/// Where the server's process finds its arguments, one a line.
const ARGUMENTS: &str = "AFTERCARE_BENCH_SERVER";

/// A server before it serves.
pub struct Prepared {
    home: PathBuf,
    databases: Vec<String>,
    runtime: Runtime,
    /// The server's own parts.
    pub app: Shared,
    /// The hospital.
    pub tenant: Uuid,
}

/// A desk that the server knows.
pub struct Enrolled {
    /// Its identity.
    pub device: Uuid,
    /// Its key.
    pub key: Ed25519KeyPair,
    /// Where it works.
    pub sites: BTreeSet<Scope>,
}

impl Prepared {
    /// A server in `home` with one hospital. `databases`: the service's and the owner's address of a PostgreSQL.
    pub fn new(home: &Path, databases: Option<(String, String)>) -> Self {
        let databases = databases
            .map(|(service, owner)| vec!["--database".into(), service, "--database-owner".into(), owner])
            .unwrap_or_default();
        let args = Args::parse_from(arguments(home, &databases));
        let runtime = Runtime::new().unwrap();
        let env = Env { cost: Cost::LIGHT, ..Env::system() };
        let (app, tenant) = runtime.block_on(async {
            let app = start::open(&args, env).await.unwrap();
            let tenant = office::add_hospital(&app, Uuid::nil(), "main", "青山县人民医院", Quota::default());
            let tenant = tenant.await.unwrap();
            (app, tenant)
        });
        Self { home: home.to_owned(), databases, runtime, app, tenant }
    }

    /// Runs what waits for the store.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Enrols a desk of these sites. `history_to`: so many of its ops are taken as they stand.
    pub fn enrol(&self, device: Uuid, sites: &[Scope], history_to: i64) -> Enrolled {
        let seed = random::<32>().unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let sites: BTreeSet<Scope> = sites.iter().copied().collect();
        let number = device.simple().to_string();
        let with = CodeUse { number: number.clone(), secret_hash: [1; 32] };
        let code = NewCode {
            number,
            secret_hash: [1; 32],
            made_by: Uuid::nil(),
            made_at: self.app.now(),
            sites: sites.clone(),
            history: true,
        };
        let new = NewDevice {
            id: device,
            name: "基准".to_owned(),
            public_key: key.public_key().as_ref().to_vec(),
            sites: sites.clone(),
            history_to,
        };
        self.wait(async {
            self.app.store.make_code(self.tenant, code).await.unwrap();
            self.app.store.enrol(self.tenant, with, new, self.app.now()).await.unwrap();
        });
        Enrolled { device, key, sites }
    }

    /// Lets the person whose record is `id` sign in.
    pub fn admit(&self, id: Uuid) {
        self.wait(async {
            let hash = password::hash(PASSWORD.to_owned(), Cost::LIGHT).await;
            let user = ServerUser {
                id,
                login: LOGIN.to_owned(),
                name: LOGIN.to_owned(),
                password_hash: hash.unwrap(),
                roles: Vec::new(),
                sites: BTreeSet::new(),
                active: true,
                locked_until: None,
                changed_at: self.app.now(),
                trusted_from: 0,
                set_by: None,
            };
            self.app.store.put_user(self.tenant, user).await.unwrap();
        });
    }

    /// A code for a desk of these sites, as an administrator reads it out. Good for ten minutes.
    pub fn code(&self, sites: &[Scope]) -> String {
        code(&self.app, self.tenant, sites, &self.runtime)
    }

    /// Lets go of the store and serves it from a process of its own.
    pub fn serve(self) -> Central {
        let Self { home, databases, runtime, app, tenant: _ } = self;
        let authority = app.authority.der().to_vec();
        drop(app);
        runtime.shutdown_background();
        let mut command = itself("server");
        command.env(ARGUMENTS, arguments(&home, &databases).join("\n"));
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = said.next().expect("the server does not serve").unwrap();
            if let Some((_, rest)) = line.split_once("https://") {
                break rest.split([' ', ',', '，', '（']).next().unwrap().to_owned();
            }
        };
        // What else it says is not needed, but must not fill the pipe.
        std::thread::spawn(move || said.map_while(Result::ok).count());
        let clock = Mutex::new(process.stdin.take().unwrap());
        Central { address, authority, process, clock }
    }
}

fn code(app: &App, tenant: Uuid, sites: &[Scope], runtime: &Runtime) -> String {
    let code = EnrolCode::new(random().unwrap(), app.authority.der());
    let new = NewCode {
        number: code.number.clone(),
        secret_hash: app.code_hash(&code.number, &code.secret),
        made_by: Uuid::nil(),
        made_at: app.now(),
        sites: sites.iter().copied().collect(),
        history: false,
    };
    runtime.block_on(app.store.make_code(tenant, new)).unwrap();
    code.print()
}

fn arguments(home: &Path, databases: &[String]) -> Vec<String> {
    let own = ["aftercare-server", "--listen", "127.0.0.1:0", "--home", home.to_str().unwrap()];
    own.into_iter().map(str::to_owned).chain(databases.iter().cloned()).collect()
}

/// A serving process.
pub struct Central {
    /// `host:port`.
    pub address: String,
    /// DER of the certificate that desks pin.
    pub authority: Vec<u8>,
    process: Child,
    /// Each line lets time pass there.
    clock: Mutex<ChildStdin>,
}

impl Central {
    /// Lets the time between two rounds of a desk pass.
    pub fn pass(&self) {
        self.clock.lock().unwrap().write_all(b"\n").unwrap();
        // Until the other process has read it.
        std::thread::sleep(Duration::from_millis(50));
    }

    /// Peak resident memory, megabytes.
    pub fn peak(&self) -> f64 {
        peak_of(&self.process)
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's process: what `aftercare-server` does without a command.
pub fn serve() {
    let args = Args::parse_from(std::env::var(ARGUMENTS).unwrap().lines());
    logging::start();
    std::thread::spawn(|| std::io::stdin().lines().map_while(Result::ok).for_each(|_| child::pass()));
    let served = Runtime::new().unwrap().block_on(async {
        let app = start::open(&args, Env { now: child::now, cost: Cost::LIGHT }).await?;
        start::run(app, &args.serving, &Words::of_system(), stop_signal()).await
    });
    served.unwrap();
}
