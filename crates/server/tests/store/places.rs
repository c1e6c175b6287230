//! Where a story is told: a store that can be closed, copied and set back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftercare_server::store::Store;
use aftercare_server::store::postgres::{Postgres, migrate};
use aftercare_server::store::sqlite::Sqlite;

use crate::postgres::{Cluster, OWNER, SERVICE};

pub enum Place {
    Sqlite { folder: tempfile::TempDir, home: PathBuf },
    Postgres { cluster: Cluster, database: String },
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        Place::Sqlite { folder, home }
    }

    pub async fn postgres() -> Self {
        let cluster = Cluster::start(false).await;
        let database = "aftercare".to_owned();
        cluster.make_database(&database, None).await;
        migrate(&cluster.url(OWNER, &database), SERVICE).await.unwrap();
        Place::Postgres { cluster, database }
    }

    /// Opens the store: what was opened before must be let go first.
    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Place::Sqlite { home, .. } => Arc::new(Sqlite::open(home).unwrap()),
            Place::Postgres { cluster, database } => {
                Arc::new(Postgres::open(&cluster.url(SERVICE, database), 8).await.unwrap())
            }
        }
    }

    /// A copy of the whole database, as a backup has it.
    pub async fn back_up(&self) {
        match self {
            Place::Sqlite { folder, home } => copy(home, &folder.path().join("backup")),
            Place::Postgres { cluster, database } => cluster.make_database("backup", Some(database)).await,
        }
    }

    /// The place as the copy has it.
    pub fn restore(self) -> Self {
        match self {
            Place::Sqlite { folder, .. } => {
                let home = folder.path().join("backup");
                Place::Sqlite { folder, home }
            }
            Place::Postgres { cluster, .. } => Place::Postgres { cluster, database: "backup".to_owned() },
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
