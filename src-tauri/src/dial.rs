//! Handing a phone address to the system's phone program.

use std::io::Write;
use std::path::PathBuf;

use aftercare_domain::error_code::ErrorCode;

/// Longest address a phone program is given, in bytes.
const LONGEST: usize = 128;
const SCHEMES: [&str; 3] = ["tel:", "sip:", "callto:"];

/// Where dialled addresses go: to the system, or in tests to a file.
pub struct Dialler(pub Option<PathBuf>);

impl Dialler {
    /// Opens `address`.
    ///
    /// # Errors
    /// `DialAddress` when it is no phone address, `DialNoProgram` when nothing on this PC takes it.
    pub fn dial(&self, address: &str) -> Result<(), ErrorCode> {
        if !is_phone_address(address) {
            return Err(ErrorCode::DialAddress);
        }
        match &self.0 {
            None => open::that_detached(address).map_err(|_| ErrorCode::DialNoProgram),
            Some(file) => std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(file)
                .and_then(|mut file| writeln!(file, "{address}"))
                .map_err(|_| ErrorCode::DialNoProgram),
        }
    }
}

/// One of the three schemes and then only what numbers, extensions and SIP names are made of: nothing a shell,
/// a path or another program's option could be made of.
fn is_phone_address(address: &str) -> bool {
    let Some(rest) = SCHEMES.iter().find_map(|scheme| address.strip_prefix(scheme)) else { return false };
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"+*#,;=.@_-".contains(&letter);
    address.len() <= LONGEST
        && rest.bytes().all(plain)
        && rest.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || b"+*#".contains(&first))
}

#[cfg(test)]
mod tests {
    use super::is_phone_address;

    #[test]
    fn numbers_extensions_and_sip_names_are_dialled() {
        for address in [
            "tel:13800000000",
            "tel:+8613800000000",
            "tel:010-12345678,8001",
            "tel:9,13800000000#",
            "sip:13800000000@pbx.hospital.cn",
            "callto:13800000000",
        ] {
            assert!(is_phone_address(address), "{address}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for address in [
            "",
            "tel:",
            "13800000000",
            "TEL:13800000000",
            "file:/etc/passwd",
            "https://example.com",
            "tel:1380000 0000",
            "tel:--help",
            "tel://host/path",
            "tel:138%20rm",
            "tel:138\n139",
            "tel:138&calc",
            "tel:$(reboot)",
            "sip:a\"b@c",
        ] {
            assert!(!is_phone_address(address), "{address}");
        }
        assert!(!is_phone_address(&format!("tel:{}", "1".repeat(200))));
    }
}
