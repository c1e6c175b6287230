//! `keys.json`: the key slots and the failure counts. Everything needed to open the database
//! except a password or the recovery code.

use std::io::Write;
use std::path::{Path, PathBuf};

use aftercare_domain::error_code::ErrorCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::{self, Cost, RecoveryCode, Wrapped};
use super::lockout::Failures;
use crate::db::DatabaseKey;
use crate::env::{PasswordCost, fill_random};
use crate::error::{Error, Result};

const KEY_FILE: &str = "keys.json";
const SLOT_VERSION: u32 = 1;

/// The file as it lies in the home folder.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyFile {
    version: u32,
    /// Shown before anybody logs in.
    pub hospital: String,
    /// Shown before anybody logs in.
    pub site: String,
    /// 32 random bytes, base64: half of the machine's secret.
    machine_salt: String,
    users: Vec<UserSlot>,
    pub(crate) recovery: Option<RecoverySlot>,
    #[serde(default)]
    pub(super) failures: Failures,
}

#[derive(Clone, Serialize, Deserialize)]
struct UserSlot {
    version: u32,
    user_id: Uuid,
    login: String,
    salt: String,
    cost: Cost,
    key: Wrapped,
}

/// The slot that the printed code opens. It travels with every backup.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecoverySlot {
    version: u32,
    key: Wrapped,
}

impl RecoverySlot {
    /// Wraps `key` for a new code.
    pub fn new(key: &DatabaseKey, code: &RecoveryCode) -> Result<Self> {
        let wrapped = keys::wrap(key, &*code.key()?, "recovery v1")?;
        Ok(Self { version: SLOT_VERSION, key: wrapped })
    }

    /// The database key, if `code` is the right one.
    ///
    /// Errors: `WrongRecoveryCode`.
    pub fn open(&self, code: &RecoveryCode) -> Result<DatabaseKey> {
        keys::unwrap(&self.key, &*code.key()?, "recovery v1")
            .ok_or_else(|| Error::new(ErrorCode::WrongRecoveryCode))
    }
}

impl KeyFile {
    /// A new file with no slots.
    pub(crate) fn new(hospital: &str, site: &str) -> Result<Self> {
        let mut salt = [0_u8; 32];
        fill_random(&mut salt)?;
        Ok(Self {
            version: 1,
            hospital: hospital.to_owned(),
            site: site.to_owned(),
            machine_salt: data_encoding::BASE64.encode(&salt),
            users: Vec::new(),
            recovery: None,
            failures: Failures::default(),
        })
    }

    /// Whether a hospital has been set up in `home`.
    pub fn exists(home: &Path) -> bool {
        path(home).exists() || twin(home).exists()
    }

    /// Whether nobody can log in here without a server: the PC has just joined.
    pub(crate) fn is_nobodys(&self) -> bool {
        self.users.is_empty()
    }

    /// Removes every slot of `home` for good: without its key the database is noise.
    pub(crate) fn destroy(home: &Path) -> Result<()> {
        for file in [path(home), twin(home)] {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        sync_folder(home);
        Ok(())
    }

    /// Reads the file, or its twin when it is torn.
    ///
    /// Errors: `NotSetUp`, `KeysDamaged`.
    pub fn load(home: &Path) -> Result<Self> {
        if !Self::exists(home) {
            return Err(Error::new(ErrorCode::NotSetUp));
        }
        [path(home), twin(home)]
            .iter()
            .filter_map(|file| std::fs::read(file).ok())
            .find_map(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .ok_or_else(|| Error::new(ErrorCode::KeysDamaged))
    }

    /// Writes the file so that a crash leaves the old or the new one whole, then its twin, which
    /// is read when a disk fault has torn the first.
    pub(crate) fn save(&self, home: &Path) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self)?;
        for target in [path(home), twin(home)] {
            let mut file = tempfile::NamedTempFile::new_in(home)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(&target).map_err(|error| Error::from(error.error))?;
            sync_folder(home);
        }
        Ok(())
    }

    /// The recovery slot.
    ///
    /// Errors: `KeysDamaged` when there is none.
    pub fn recovery_slot(&self) -> Result<&RecoverySlot> {
        self.recovery.as_ref().ok_or_else(|| Error::new(ErrorCode::KeysDamaged))
    }

    /// The file as it travels in a backup: without the failure counts of this desk.
    pub(crate) fn for_backup(&self) -> Self {
        Self { failures: Failures::default(), ..self.clone() }
    }

    /// The same hospital on another PC: a new machine salt, no user slots, the recovery slot kept.
    pub(crate) fn for_another_machine(&self) -> Result<Self> {
        Ok(Self { recovery: self.recovery.clone(), ..Self::new(&self.hospital, &self.site)? })
    }

    /// Opens the slot of `login` with `password`. An unknown login takes as long and says the same.
    pub(crate) fn open(&self, login: &str, password: &str) -> Result<Option<(Uuid, DatabaseKey)>> {
        let Some(slot) = self.users.iter().find(|slot| slot.login == login) else {
            let cost = self.users.first().map_or(Cost { memory_kib: 64 * 1024, passes: 3 }, |slot| slot.cost);
            keys::stretch(password.as_bytes(), &[0; 16], cost)?;
            return Ok(None);
        };
        let salt = decode_salt(&slot.salt)?;
        let stretched = keys::stretch(password.as_bytes(), &salt, slot.cost)?;
        let key = keys::derive(&stretched, &self.machine_secret(), "aftercare key slot v1")?;
        Ok(keys::unwrap(&slot.key, &key, &bound_to(slot.user_id, &slot.login)).map(|key| (slot.user_id, key)))
    }

    /// Makes or replaces the slot of a user.
    pub(crate) fn put(
        &mut self,
        user_id: Uuid,
        login: &str,
        password: &str,
        key: &DatabaseKey,
        cost: PasswordCost,
    ) -> Result<()> {
        let mut salt = [0_u8; 16];
        fill_random(&mut salt)?;
        let cost = Cost::of(cost)?;
        let stretched = keys::stretch(password.as_bytes(), &salt, cost)?;
        let wrapping = keys::derive(&stretched, &self.machine_secret(), "aftercare key slot v1")?;
        let key = keys::wrap(key, &wrapping, &bound_to(user_id, login))?;
        self.users.retain(|slot| slot.user_id != user_id && slot.login != login);
        self.users.push(UserSlot {
            version: SLOT_VERSION,
            user_id,
            login: login.to_owned(),
            salt: data_encoding::BASE64.encode(&salt),
            cost,
            key,
        });
        Ok(())
    }

    /// The random salt and, where the system has one, the machine's id: a copied folder alone
    /// cannot be tried against passwords. On another PC the recovery code opens the backup.
    pub(super) fn machine_secret(&self) -> Zeroizing<Vec<u8>> {
        let mut secret = Zeroizing::new(self.machine_salt.clone().into_bytes());
        secret.extend(machine_uid::get().unwrap_or_default().trim().as_bytes());
        secret
    }
}

/// Gives a user a slot in the key file of `home`.
pub fn add_user_slot(
    home: &Path,
    user_id: Uuid,
    login: &str,
    password: &str,
    key: &DatabaseKey,
    cost: PasswordCost,
) -> Result<()> {
    let mut file = KeyFile::load(home)?;
    file.put(user_id, login, password, key, cost)?;
    file.failures.clear(login);
    file.save(home)
}

/// Takes a user's slot away: from then on they cannot open the database on this PC.
pub fn remove_user_slot(home: &Path, user_id: Uuid) -> Result<()> {
    let mut file = KeyFile::load(home)?;
    let before = file.users.len();
    file.users.retain(|slot| slot.user_id != user_id);
    if file.users.len() == before { Ok(()) } else { file.save(home) }
}

fn bound_to(user_id: Uuid, login: &str) -> String {
    format!("user v{SLOT_VERSION} {user_id} {login}")
}

fn decode_salt(text: &str) -> Result<[u8; 16]> {
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok();
    bytes.and_then(|b| b.try_into().ok()).ok_or_else(|| Error::new(ErrorCode::KeysDamaged))
}

fn path(home: &Path) -> PathBuf {
    home.join(KEY_FILE)
}

fn twin(home: &Path) -> PathBuf {
    home.join("keys.twin.json")
}

/// A rename is durable when its folder is. Windows cannot open folders for this and needs it not.
fn sync_folder(home: &Path) {
    if let Ok(folder) = std::fs::File::open(home) {
        let _ = folder.sync_all();
    }
}
