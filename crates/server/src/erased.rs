//! What was erased, beside the database: a backup from before an erasure brings the patient back, and this list takes them
//! out again. It holds ids only, lies in the home, is no part of a backup, and is laid into the home into which an
//! older backup is put back.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::backup::sync_folder;
use crate::failure::Failure;
use crate::store::{Confirmed, Erasure};

const FILE: &str = "erasures.json";

/// An erasure that two persons have decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Line {
    confirmed_at: i64,
    tenant: Uuid,
    patient: Uuid,
    asked_by: Uuid,
    asked_at: i64,
    confirmed_by: Uuid,
}

impl Line {
    fn of(tenant: Uuid, erasure: Confirmed) -> Self {
        let Confirmed { asked: Erasure { patient, asked_by, asked_at }, confirmed_by, confirmed_at } =
            erasure;
        Self { confirmed_at, tenant, patient, asked_by, asked_at, confirmed_by }
    }

    fn erasure(self) -> Confirmed {
        let Self { confirmed_at, patient, asked_by, asked_at, confirmed_by, .. } = self;
        Confirmed { asked: Erasure { patient, asked_by, asked_at }, confirmed_by, confirmed_at }
    }
}

/// Brings the list up to what the database holds. Of several server processes each keeps its own.
///
/// # Errors
/// The store's; `erasures_damaged`, files.
pub async fn keep(app: &App) -> Result<(), Failure> {
    let known = read(&app.home)?;
    let mut lines = known.clone();
    for tenant in app.store.tenants().await? {
        for erasure in app.store.confirmed_erasures(tenant.id).await? {
            lines.push(Line::of(tenant.id, erasure));
        }
    }
    lines.sort();
    lines.dedup();
    if lines == known { Ok(()) } else { write(&app.home, &lines) }
}

/// Erases again what a backup has brought back. Returns how many patients.
///
/// # Errors
/// The store's; `erasures_damaged`, files.
pub async fn repeat(app: &App) -> Result<usize, Failure> {
    let here: Vec<Uuid> = app.store.tenants().await?.iter().map(|tenant| tenant.id).collect();
    let mut repeated = 0;
    for line in read(&app.home)?.into_iter().filter(|line| here.contains(&line.tenant)) {
        let Some(erased) = app.store.repeat_erasure(line.tenant, line.erasure()).await? else { continue };
        let details = json!({ "ops": erased.ops, "records": erased.records, "blobs": erased.blobs });
        app.audit(line.tenant, line.confirmed_by, "erasure_repeated", line.patient, details).await?;
        repeated += 1;
    }
    Ok(repeated)
}

fn read(home: &Path) -> Result<Vec<Line>, Failure> {
    let path = home.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|_| Failure::new("erasures_damaged", path.display()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::file(&path)(error)),
    }
}

fn write(home: &Path, lines: &[Line]) -> Result<(), Failure> {
    let path = home.join(FILE);
    let text = serde_json::to_vec_pretty(lines).map_err(|error| Failure::new("file", error))?;
    let put = || -> std::io::Result<()> {
        // Several confirmations may end at once: each writes a file of its own, and the last one stands.
        let mut file = tempfile::NamedTempFile::new_in(home)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(&path).map(|_| ()).map_err(|error| error.error)
    };
    put().map_err(Failure::file(&path))?;
    sync_folder(home)
}
