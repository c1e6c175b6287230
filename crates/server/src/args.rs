//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use uuid::Uuid;

/// The central server of Aftercare 随访台. Without a command it serves.
#[derive(Parser)]
#[command(name = "aftercare-server", version)]
pub struct Args {
    /// Folder of the server's files
    #[arg(long, env = "AFTERCARE_SERVER_HOME")]
    pub home: PathBuf,
    /// PostgreSQL (`postgres://user:password@host/database`) instead of the embedded SQLite
    #[arg(long, env = "AFTERCARE_SERVER_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// The owner's address of the same database, for migrations
    #[arg(long, env = "AFTERCARE_SERVER_DATABASE_OWNER", hide_env_values = true)]
    pub database_owner: Option<String>,
    /// Answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; nothing: serve
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve
    #[command(flatten)]
    pub serving: Serving,
}

/// How to serve.
#[derive(clap::Args)]
pub struct Serving {
    /// Address and port
    #[arg(long, default_value = "0.0.0.0:8443", env = "AFTERCARE_SERVER_LISTEN")]
    pub listen: SocketAddr,
    /// A name or address under which desks reach this machine, besides its own; may be repeated
    #[arg(long = "name", env = "AFTERCARE_SERVER_NAMES", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Name of the first hospital, for the first start
    #[arg(long, env = "AFTERCARE_SERVER_HOSPITAL")]
    pub hospital: Option<String>,
}

/// What to do besides serving.
#[derive(Subcommand)]
pub enum Command {
    /// One-time codes for new desks
    #[command(subcommand)]
    Code(CodeCommand),
    /// Hospitals on this server
    #[command(subcommand)]
    Tenants(TenantCommand),
    /// Sites of a hospital
    #[command(subcommand)]
    Sites(SiteCommand),
    /// Desks of a hospital
    #[command(subcommand)]
    Devices(DeviceCommand),
    /// People who sign in at the server
    #[command(subcommand)]
    Users(UserCommand),
    /// Changes whose author or desk had no right to them
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// USB sticks of desks without a network
    #[command(subcommand)]
    Usb(UsbCommand),
    /// Writes everything into a new folder, while the server runs, and reads it back
    Backup {
        /// The new folder
        to: PathBuf,
        /// The folder is not on this host: desks may forget what it covers
        #[arg(long)]
        off_host: bool,
    },
    /// Checks a backup
    Verify {
        /// Its folder
        from: PathBuf,
    },
    /// Puts a backup into a home that holds nothing yet, and begins a new epoch
    Restore {
        /// Its folder
        from: PathBuf,
    },
    /// Begins a new epoch after a database was put back by other means (PostgreSQL)
    NewEpoch,
    /// New versions of the desk, which this server hands out
    #[command(subcommand)]
    Updates(UpdateCommand),
    /// The server as a service of the system (systemd, or Windows' service manager)
    #[command(subcommand)]
    Service(ServiceCommand),
}

/// `updates …`
#[derive(Subcommand)]
pub enum UpdateCommand {
    /// Takes an installer in, with its offer (`FILE.offer.json`) beside it; desks fetch it from now on
    Add {
        /// The installer
        file: PathBuf,
    },
    /// What is handed out
    List,
    /// Hands a version out no longer
    Remove {
        /// `windows-x86_64`, `debian-amd64` or `debian-arm64`
        platform: String,
        /// Its version
        version: String,
    },
    /// For whoever makes the program: a new release key; its public half goes into the build
    Key {
        /// The new file, to be kept away from every server
        file: PathBuf,
    },
    /// For whoever makes the program: writes the signed offer beside an installer
    Sign {
        /// The installer
        file: PathBuf,
        /// The release key's file
        #[arg(long)]
        key: PathBuf,
        /// The version it brings, such as 1.2.0
        #[arg(long)]
        release: String,
        /// `windows-x86_64`, `debian-amd64` or `debian-arm64`
        #[arg(long)]
        platform: String,
        /// What is new, in Chinese
        #[arg(long, default_value = "")]
        notes_zh: String,
        /// The same in English
        #[arg(long, default_value = "")]
        notes_en: String,
    },
}

/// `service …`
#[derive(Subcommand)]
pub enum ServiceCommand {
    /// Registers the service with the given home and ways of serving, and starts it; as root or administrator
    Install,
    /// Stops the service and takes it away; its data stay
    Uninstall,
    /// Serves, started by the service manager
    Run,
}

/// Which hospital; needed where the server has several.
#[derive(clap::Args)]
pub struct Hospital {
    /// The hospital's word
    #[arg(long)]
    pub hospital_word: Option<String>,
}

/// `code …`
#[derive(Subcommand)]
pub enum CodeCommand {
    /// Makes a code, good for ten minutes and one desk
    New {
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
        /// The sites that the desk may see, by name or id; none: those that the desk brings
        #[arg(long, value_delimiter = ',')]
        sites: Vec<String>,
        /// The desk brings what it wrote alone
        #[arg(long)]
        history: bool,
    },
}

/// `tenants …`
#[derive(Subcommand)]
pub enum TenantCommand {
    /// Every hospital
    List,
    /// Adds a hospital
    Add {
        /// A short word that tells it from the others
        word: String,
        /// Its name
        name: String,
        /// Most desks
        #[arg(long)]
        most_devices: Option<i64>,
        /// Most bytes
        #[arg(long)]
        most_bytes: Option<i64>,
    },
    /// Writes everything of a hospital as JSON lines: records, changes, attachments
    Export {
        /// Its word
        word: String,
        /// The new file
        to: PathBuf,
    },
    /// Shuts a hospital off
    Close {
        /// Its word
        word: String,
    },
    /// Lets it in again
    Open {
        /// Its word
        word: String,
    },
    /// Deletes a hospital for ever
    Delete {
        /// Its word
        word: String,
        /// Its name, as a sign that this one is meant
        #[arg(long)]
        confirm_name: String,
    },
}

/// `sites …`
#[derive(Subcommand)]
pub enum SiteCommand {
    /// Every site
    List {
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
    /// Adds a site; desks hear of it at their next sync
    Add {
        /// Its name
        name: String,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
    /// Gives a site another name
    Rename {
        /// By name or id
        site: String,
        /// Its name from now on
        name: String,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
}

/// `devices …`
#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Every desk
    List {
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
    /// Shuts a desk out at its next contact
    Revoke {
        /// Which
        device: Uuid,
    },
    /// Has a lost PC delete its data at its next contact
    Wipe {
        /// Which
        device: Uuid,
    },
    /// Lets a desk in again that was shut out
    Admit {
        /// Which
        device: Uuid,
    },
    /// Changes the sites that a desk may see
    Sites {
        /// Which
        device: Uuid,
        /// By name or id
        #[arg(value_delimiter = ',')]
        sites: Vec<String>,
    },
}

/// `users …`
#[derive(Subcommand)]
pub enum UserCommand {
    /// Administrators of the server, or the people of a hospital whose password is known here
    List {
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
        /// The server's administrators
        #[arg(long)]
        server: bool,
    },
    /// Adds an administrator of the server
    Add {
        /// What they type to sign in
        login: String,
        /// Their name
        name: String,
    },
    /// Lets somebody of a hospital administer it on the server's page
    Appoint {
        /// What they type to sign in
        login: String,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
    /// Gives somebody a one-time password
    Reset {
        /// What they type to sign in
        login: String,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
        /// An administrator of the server
        #[arg(long)]
        server: bool,
    },
    /// Shuts somebody out
    Disable {
        /// What they type to sign in
        login: String,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
        /// An administrator of the server
        #[arg(long)]
        server: bool,
    },
}

/// `quarantine …`
#[derive(Subcommand)]
pub enum QuarantineCommand {
    /// What waits; names of fields, never their values
    List {
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
    /// Lets a change count
    Release {
        /// Its number
        number: i64,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
    /// Refuses a change for good
    Reject {
        /// Its number
        number: i64,
        /// Whose
        #[command(flatten)]
        hospital: Hospital,
    },
}

/// `usb …`
#[derive(Subcommand)]
pub enum UsbCommand {
    /// Takes a desk's file in and writes the answer that goes back to it
    Answer {
        /// As the desk wrote it
        from: PathBuf,
        /// The new file
        to: PathBuf,
    },
}

/// `audit …`
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Tells whether the trails are whole, and where not
    Verify,
}
