//! A PostgreSQL address, and how the way there is protected.
//!
//! Patients' data do not cross a network in the clear: beyond this host the address names the
//! certificate of the database's authority (`sslrootcert=FILE`, as libpq has it), or says
//! `sslmode=disable` where another tunnel protects the way.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Result, StoreError};

/// Where the database is.
pub(super) struct Address {
    pub(super) config: Config,
    /// Nothing: on this host, or somebody else protects the way.
    pub(super) tls: Option<MakeRustlsConnect>,
}

/// Reads an address of either form that libpq has.
pub(super) fn parse(url: &str) -> Result<Address> {
    let (url, authority) = take_authority(url);
    let mut config: Config = url.parse().map_err(|_| wrong("url"))?;
    config.application_name("aftercare-server");
    if config.get_ssl_mode() == SslMode::Disable {
        return Ok(Address { config, tls: None });
    }
    match authority {
        Some(file) => {
            config.ssl_mode(SslMode::Require);
            Ok(Address { config, tls: Some(MakeRustlsConnect::new(trust(&file)?)) })
        }
        None if config.get_hosts().iter().all(is_here) => {
            config.ssl_mode(SslMode::Disable);
            Ok(Address { config, tls: None })
        }
        None => Err(StoreError::Insecure),
    }
}

/// The role that an address names.
///
/// # Errors
/// When it is no address, or names none.
pub fn role_of(url: &str) -> Result<String> {
    let (url, _) = take_authority(url);
    let config: Config = url.parse().map_err(|_| wrong("url"))?;
    config.get_user().map(str::to_owned).ok_or_else(|| wrong("url"))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Takes out what the driver does not know.
fn take_authority(url: &str) -> (String, Option<String>) {
    let Some((before, rest)) = url.split_once("sslrootcert=") else {
        return (url.to_owned(), None);
    };
    let end = rest.find(['&', ' ']).unwrap_or(rest.len());
    let (file, after) = rest.split_at(end);
    let url = format!("{}{}", before.trim_end_matches('&'), after);
    (url.trim_end_matches('?').replace("?&", "?"), Some(file.to_owned()))
}

fn trust(file: &str) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|_| wrong("sslrootcert"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|_| wrong("sslrootcert"))?;
        roots.add(certificate).map_err(|_| wrong("sslrootcert"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong("tls"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn wrong(what: &str) -> StoreError {
    StoreError::Unavailable(what.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_leaves_this_host_in_the_clear() {
        for url in ["host=/run/postgresql user=a", "postgres://a@localhost/db", "postgres://a@127.0.0.1/db"] {
            assert!(parse(url).unwrap().tls.is_none(), "{url}");
        }
        for url in [
            "postgres://a@db.hospital/db",
            "postgres://a@10.0.0.7/db?sslmode=require",
            "host=10.0.0.7 user=a",
        ] {
            assert_eq!(parse(url).err(), Some(StoreError::Insecure), "{url}");
        }
        assert!(parse("postgres://a@10.0.0.7/db?sslmode=disable").unwrap().tls.is_none());
    }

    #[test]
    fn the_authority_is_taken_out_wherever_it_stands() {
        let file = Some("/etc/ca.pem".to_owned());
        for (url, rest) in [
            ("postgres://a@h/db?sslrootcert=/etc/ca.pem", "postgres://a@h/db"),
            ("postgres://a@h/db?sslrootcert=/etc/ca.pem&x=1", "postgres://a@h/db?x=1"),
            ("postgres://a@h/db?x=1&sslrootcert=/etc/ca.pem", "postgres://a@h/db?x=1"),
            ("host=h sslrootcert=/etc/ca.pem user=a", "host=h  user=a"),
        ] {
            assert_eq!(take_authority(url), (rest.to_owned(), file.clone()));
        }
        assert_eq!(role_of("postgres://a@h/db?sslrootcert=/etc/ca.pem").unwrap(), "a");
    }
}
