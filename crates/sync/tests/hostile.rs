//! Bytes from somebody who means harm: bombs, garbled messages, lengths that lie.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;

use aftercare_sync::accept::decode;
use aftercare_sync::pack::{MAX_PACKED, MAX_UNPACKED, PackError, pack, unpack};
use aftercare_sync::wire::{Answer, Request};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_bytes::ByteBuf;

/// What reading may cost: the message, its doubling while it grows, what is made of it, and the
/// same of the tests beside this one.
const CAP: usize = 8 * MAX_UNPACKED;

/// The most memory that this process ever had, in bytes; 0 where the system does not say.
fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<usize>().ok()).unwrap_or(0) * 1024
}

#[test]
fn a_packed_bomb_is_refused_within_its_cap() {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    for _ in 0..1024 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < MAX_PACKED, "{} bytes", bomb.len());
    let before = most_memory();
    assert!(matches!(unpack::<Request>(&bomb), Err(PackError::TooLarge(MAX_UNPACKED))));
    assert!(most_memory() < before + CAP, "a bomb of 1 GiB was unpacked");
    let long = vec![0u8; MAX_PACKED + 1];
    assert!(matches!(unpack::<Request>(&long), Err(PackError::TooLarge(MAX_PACKED))));
}

#[test]
fn what_its_reader_would_refuse_is_not_packed() {
    let mut rng = StdRng::seed_from_u64(1);
    let noise: Vec<u8> = (0..MAX_PACKED + 1000).map(|_| rng.random()).collect();
    assert!(matches!(pack(&ByteBuf::from(noise)), Err(PackError::TooLarge(MAX_PACKED))));
    let long = ByteBuf::from(vec![0; MAX_UNPACKED]);
    assert!(matches!(pack(&long), Err(PackError::TooLarge(MAX_UNPACKED))));
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let messages: Vec<Vec<u8>> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "cbor"))
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(messages.len() >= 4);
    messages
}

fn spoil(bytes: &mut Vec<u8>, rng: &mut StdRng) {
    for _ in 0..rng.random_range(1..6) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..5) {
            0 => bytes[at] = rng.random(),
            1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes.truncate(at),
            3 => {
                let piece = bytes[at..(at + 9).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            // Lengths that promise what does not come.
            _ => {
                bytes.splice(at..at, [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
            }
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// `AFTERCARE_FUZZ=10000000` goes on for longer, `AFTERCARE_FUZZ_SEED` elsewhere.
#[test]
fn garbled_messages_are_refused_or_read_and_never_panic() {
    let seed = number("AFTERCARE_FUZZ_SEED").unwrap_or(20_260_701);
    let rounds = number("AFTERCARE_FUZZ").unwrap_or(20_000);
    println!("{rounds} garbled messages from seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let corpus = corpus();
    let before = most_memory();
    let mut read = 0;
    for round in 0..rounds {
        let mut bytes = corpus[round as usize % corpus.len()].clone();
        spoil(&mut bytes, &mut rng);
        let packed = zstd::bulk::compress(&bytes, 1).unwrap();
        read += usize::from(decode(&bytes).is_some());
        read += usize::from(unpack::<Request>(&packed).is_ok());
        read += usize::from(unpack::<Answer>(&packed).is_ok());
        assert!(unpack::<Request>(&bytes).is_err());
    }
    assert!(most_memory() < before + CAP, "lengths that promise too much were believed");
    assert!(read > 0, "nothing was read: the mutations go too far to test anything");
}
