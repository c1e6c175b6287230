//! The server's own certificate authority, and the certificate that it gives the server.
//!
//! Desks pin the authority at enrolment, so its key is the one file that must outlive the machine:
//! several servers of one database, and a restored server, carry the same two files.
//!
//! The server's certificate is made at each start and again every month, with a key that never
//! leaves memory. It holds fifteen years into both directions: a desk whose clock is years off must
//! still reach the server to be told so, and who can steal that key can steal the authority's.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use ring::hmac;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// The certificate, for everybody.
pub(crate) const CERTIFICATE_FILE: &str = "authority.pem";
/// The key, for the server alone.
pub(crate) const KEY_FILE: &str = "authority.key";
const AUTHORITY_YEARS: i64 = 50;
const SERVER_YEARS: i64 = 15;

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("authority files: {0}")]
    File(#[from] std::io::Error),
    /// Certificate or key is damaged, or a name is none.
    #[error("authority: {0}")]
    Certificate(#[from] rcgen::Error),
    /// One of the two files is missing or is not PEM.
    #[error("authority files are incomplete or damaged")]
    Damaged,
    /// Others may read the key.
    #[error("the authority's key may be read by others: set its mode to 0600")]
    Exposed,
}

/// The authority: signs the server's certificates, and is the root of the server's other secrets.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    secret: hmac::Key,
    pem: String,
}

/// A certificate with its key, as rustls takes it.
pub struct Issued {
    /// The server's certificate and the authority's.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key.
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Reads the authority in `home`, or makes it when there is none yet.
    ///
    /// # Errors
    /// When files cannot be read or written, are damaged, or lie open to others.
    pub fn open(home: &Path, now_millis: i64) -> Result<Self, AuthorityError> {
        let (certificate, key) = (home.join(CERTIFICATE_FILE), home.join(KEY_FILE));
        match (certificate.exists(), key.exists()) {
            (false, false) => Self::make(&certificate, &key, now_millis),
            (true, true) => {
                refuse_exposed(&key)?;
                let key_pem = Zeroizing::new(fs::read_to_string(&key)?);
                Self::from_pem(fs::read_to_string(&certificate)?, &key_pem)
            }
            _ => Err(AuthorityError::Damaged),
        }
    }

    fn make(certificate: &Path, key: &Path, now_millis: i64) -> Result<Self, AuthorityError> {
        let pair = KeyPair::generate()?;
        let pem = authority_params(now_millis)?.self_signed(&pair)?.pem();
        let key_pem = Zeroizing::new(pair.serialize_pem());
        write_new(key, key_pem.as_bytes(), 0o600)?;
        write_new(certificate, pem.as_bytes(), 0o644)?;
        Self::from_pem(pem, &key_pem)
    }

    fn from_pem(pem: String, key_pem: &str) -> Result<Self, AuthorityError> {
        let der = pem_body(&pem).ok_or(AuthorityError::Damaged)?;
        let pair = KeyPair::from_pem(key_pem)?;
        // The certificate must be the key's own, or every desk would turn away from what it signs.
        let public = pair.public_key_raw();
        if !der.windows(public.len()).any(|window| window == public) {
            return Err(AuthorityError::Damaged);
        }
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &pair.serialize_der());
        // Names and key of the issuer are all that goes into what it signs; the dates are not.
        let issuer = Issuer::new(authority_params(0)?, pair);
        Ok(Self { issuer, der: CertificateDer::from(der), secret, pem })
    }

    /// The certificate, as desks ask for it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate's bytes, whose fingerprint stands in enrolment codes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// A key for one purpose, the same on every server that shares the authority: what signs
    /// tokens needs no database and no other state.
    pub fn derive(&self, purpose: &str) -> hmac::Key {
        let tag = hmac::sign(&self.secret, format!("aftercare-server-1 {purpose}").as_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
    }

    /// A certificate for the server under these names and addresses.
    ///
    /// # Errors
    /// When a name is none.
    pub fn issue(&self, names: &[String], now_millis: i64) -> Result<Issued, AuthorityError> {
        let pair = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.subject_alt_names =
            names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, "Aftercare server");
        params.distinguished_name = subject;
        params.not_before = moment(now_millis) - Duration::days(365 * SERVER_YEARS);
        params.not_after = moment(now_millis) + Duration::days(365 * SERVER_YEARS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&pair, &self.issuer)?;
        Ok(Issued {
            chain: vec![certificate.der().clone(), self.der.clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der())),
        })
    }
}

fn authority_params(now_millis: i64) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Aftercare authority");
    params.distinguished_name = subject;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = moment(now_millis) - Duration::days(365 * AUTHORITY_YEARS / 2);
    params.not_after = moment(now_millis) + Duration::days(365 * AUTHORITY_YEARS);
    Ok(params)
}

fn alternative_name(name: &str) -> Result<SanType, rcgen::Error> {
    Ok(match name.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into()?),
    })
}

fn moment(millis: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(millis)
}

/// The bytes of the first certificate in a PEM text.
fn pem_body(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1)?;
    let body = body.split("-----END CERTIFICATE-----").next()?;
    let text: String = body.split_whitespace().collect();
    data_encoding::BASE64.decode(text.as_bytes()).ok()
}

/// Writes a file that must not exist, durable, with this mode where there are modes.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_exposed(key: &Path) -> Result<(), AuthorityError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(key)?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(AuthorityError::Exposed) }
}

#[cfg(not(unix))]
fn refuse_exposed(_key: &Path) -> Result<(), AuthorityError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    #[test]
    fn an_authority_is_made_once_and_read_back() {
        let home = tempfile::tempdir().unwrap();
        let first = Authority::open(home.path(), NOW).unwrap();
        let again = Authority::open(home.path(), NOW + 1).unwrap();
        assert_eq!(first.der(), again.der());
        let (one, two) = (first.derive("token"), again.derive("token"));
        assert_eq!(hmac::sign(&one, b"x").as_ref(), hmac::sign(&two, b"x").as_ref());
        let other = first.derive("session");
        assert_ne!(hmac::sign(&one, b"x").as_ref(), hmac::sign(&other, b"x").as_ref());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        Authority::open(home.path(), NOW).unwrap();
        let key = home.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Authority::open(home.path(), NOW), Err(AuthorityError::Exposed)));
    }

    #[test]
    fn a_certificate_of_another_authority_is_noticed() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Authority::open(home.path(), NOW).unwrap();
        Authority::open(other.path(), NOW).unwrap();
        fs::copy(other.path().join(CERTIFICATE_FILE), home.path().join(CERTIFICATE_FILE)).unwrap();
        assert!(matches!(Authority::open(home.path(), NOW), Err(AuthorityError::Damaged)));
        fs::remove_file(home.path().join(CERTIFICATE_FILE)).unwrap();
        assert!(matches!(Authority::open(home.path(), NOW), Err(AuthorityError::Damaged)));
    }
}
