//! One error for the whole application: a code, what the message needs, and the source for the log.

use std::collections::BTreeMap;
use std::fmt;

use aftercare_domain::error_code::ErrorCode;
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

/// Shorthand used everywhere in core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was refused or failed. Carries no user text and no patient data:
/// `params` are numbers, codes, column names, paths the user gave.
pub struct Error {
    /// What went wrong.
    pub code: ErrorCode,
    /// What the message needs, by name.
    pub params: BTreeMap<&'static str, Value>,
    /// Refused fields, each with its own code.
    pub fields: Vec<FieldError>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A refused field; attaches to its input.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct FieldError {
    /// The field's name in the request, with a path for lists (`phones.0.number`).
    pub field: String,
    /// Why.
    pub code: ErrorCode,
    /// What the message needs.
    #[ts(type = "Record<string, string | number>")]
    pub params: BTreeMap<String, Value>,
}

/// The error as it crosses to the window, the browser or standard error.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct WireError {
    /// What went wrong.
    pub code: ErrorCode,
    /// What the message needs.
    #[ts(type = "Record<string, string | number>")]
    pub params: BTreeMap<String, Value>,
    /// Leads to the line in the log.
    pub trace: String,
    /// Refused fields.
    pub fields: Vec<FieldError>,
}

impl Error {
    /// An error with nothing but its code.
    pub fn new(code: ErrorCode) -> Self {
        Self { code, params: BTreeMap::new(), fields: Vec::new(), source: None }
    }

    /// Adds a parameter for the message. Never patient data.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.params.insert(name, value.into());
        self
    }

    /// Keeps the cause for the log.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A defect: something that cannot be, was.
    pub fn internal(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorCode::Internal).caused_by(what)
    }

    /// One refused field.
    pub fn field(field: impl Into<String>, code: ErrorCode) -> Self {
        let mut refused = FieldErrors::default();
        refused.add(field, code);
        refused.into_error()
    }

    /// The form that crosses the boundary. `trace` is the id the host wrote to its log.
    pub fn to_wire(&self, trace: impl Into<String>) -> WireError {
        WireError {
            code: self.code,
            params: self.params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            trace: trace.into(),
            fields: self.fields.clone(),
        }
    }
}

/// Collects refused fields so that a form shows them all at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Refuses `field`.
    pub fn add(&mut self, field: impl Into<String>, code: ErrorCode) {
        self.0.push(FieldError { field: field.into(), code, params: BTreeMap::new() });
    }

    /// Refuses `field` with a number or word for its message.
    pub fn add_with(
        &mut self,
        field: impl Into<String>,
        code: ErrorCode,
        name: &str,
        value: impl Into<Value>,
    ) {
        let params = BTreeMap::from([(name.to_owned(), value.into())]);
        self.0.push(FieldError { field: field.into(), code, params });
    }

    /// Nothing refused is `Ok`.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    fn into_error(self) -> Error {
        let mut error = Error::new(ErrorCode::Invalid);
        error.fields = self.0;
        error
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        for (name, value) in &self.params {
            write!(f, " {name}={value}")?;
        }
        for refused in &self.fields {
            write!(f, " {}:{}", refused.field, refused.code.as_str())?;
        }
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Error::new(code_of(&source)).caused_by(source)
    }
}

/// What an error of the database means for the person.
pub(crate) fn code_of(source: &rusqlite::Error) -> ErrorCode {
    use rusqlite::ErrorCode as Sqlite;
    match source.sqlite_error_code() {
        Some(Sqlite::DiskFull) => ErrorCode::DiskFull,
        Some(Sqlite::SystemIoFailure) if disk_is_full(source) => ErrorCode::DiskFull,
        Some(Sqlite::DatabaseBusy | Sqlite::DatabaseLocked) => ErrorCode::DatabaseBusy,
        Some(Sqlite::DatabaseCorrupt | Sqlite::NotADatabase) => ErrorCode::DatabaseDamaged,
        _ if matches!(source, rusqlite::Error::QueryReturnedNoRows) => ErrorCode::NotFound,
        _ => ErrorCode::Internal,
    }
}

/// SQLite reports a quota or a full disk in the middle of a page as a short write.
fn disk_is_full(source: &rusqlite::Error) -> bool {
    matches!(source.sqlite_error(), Some(error) if error.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE)
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let code = match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                ErrorCode::DiskFull
            }
            ErrorKind::NotFound => ErrorCode::FileMissing,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorCode::FileUnwritable,
            _ => ErrorCode::Internal,
        };
        Error::new(code).caused_by(source)
    }
}

impl From<serde_json::Error> for Error {
    fn from(source: serde_json::Error) -> Self {
        // The message of serde_json may quote the value, which may be a patient's: keep only the place.
        Error::new(ErrorCode::Internal).caused_by(format!(
            "JSON at line {} column {}",
            source.line(),
            source.column()
        ))
    }
}
