//! A network line that misbehaves: a loopback proxy between desk and server which, connection by
//! connection, refuses, cuts the question, cuts the answer, delays, or lets pass. It carries TLS
//! without reading it: a cut answer is what a desk sees of a crashed server or a lost network, and
//! the repeated question that follows is what the server sees of it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Answer;

/// How long the proxy waits for bytes before it looks whether it should end.
const PATIENCE: Duration = Duration::from_millis(50);

/// What the line does to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: everything passes.
    None,
    /// Closes at once, as a firewall does.
    Refuse,
    /// Closes after so many bytes of the question: the server gets half of it.
    CutQuestion(u64),
    /// Closes after so many bytes of the answer: the server has done what the desk does not know.
    CutAnswer(u64),
    /// Holds the answer back for so long.
    Delay(Duration),
    /// Carries the answer byte by byte.
    Dribble,
}

/// What one direction of a line carries, all connections together.
struct Meter {
    carried: AtomicU64,
    /// The most that it will carry.
    most: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { carried: AtomicU64::new(0), most: AtomicU64::new(u64::MAX) }
    }
}

impl Meter {
    fn left(&self) -> u64 {
        self.most.load(Ordering::Relaxed).saturating_sub(self.carried.load(Ordering::Relaxed))
    }
}

/// A misbehaving line to one server. It ends when it is dropped.
pub struct BadLine {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
    connections: Arc<AtomicU64>,
    answers: Arc<Meter>,
    accepting: Option<JoinHandle<()>>,
    carrying: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl BadLine {
    /// Opens a line to `server`; `plan` says for each connection, by its number from 0, what happens to it.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub fn open(server: SocketAddr, plan: impl Fn(u64) -> Fault + Send + Sync + 'static) -> Answer<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let ending = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(AtomicU64::new(0));
        let answers = Arc::new(Meter::default());
        let carrying = Arc::new(Mutex::new(Vec::new()));
        let accepting = std::thread::spawn({
            let (ending, connections, carrying) = (ending.clone(), connections.clone(), carrying.clone());
            let answers = answers.clone();
            move || {
                while !ending.load(Ordering::Relaxed) {
                    let Ok((desk, _)) = listener.accept() else {
                        std::thread::sleep(Duration::from_millis(2));
                        continue;
                    };
                    let fault = plan(connections.fetch_add(1, Ordering::Relaxed));
                    let (ending, answers) = (ending.clone(), answers.clone());
                    let carry = std::thread::spawn(move || carry(desk, server, fault, &ending, &answers));
                    carrying.lock().unwrap_or_else(PoisonError::into_inner).push(carry);
                }
            }
        });
        Ok(Self { address, ending, connections, answers, accepting: Some(accepting), carrying })
    }

    /// Where the desk finds the line.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes of answers that came through.
    pub fn carried(&self) -> u64 {
        self.answers.carried.load(Ordering::Relaxed)
    }

    /// Carries so many more bytes of answers, and then nothing on any connection until [`Self::mend`].
    pub fn hold_for(&self, bytes: u64) {
        self.answers.most.store(self.carried() + bytes, Ordering::Relaxed);
    }

    /// Carries everything again.
    pub fn mend(&self) {
        self.answers.most.store(u64::MAX, Ordering::Relaxed);
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        let carrying = std::mem::take(&mut *self.carrying.lock().unwrap_or_else(PoisonError::into_inner));
        for carry in carrying {
            let _ = carry.join();
        }
    }
}

/// Carries one connection until either side ends it or the fault does.
fn carry(desk: TcpStream, server: SocketAddr, fault: Fault, ending: &AtomicBool, answers: &Meter) {
    if fault == Fault::Refuse {
        return;
    }
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    let _ = (desk.set_nonblocking(false), desk.set_nodelay(true), server.set_nodelay(true));
    let (question, answer) = match fault {
        Fault::CutQuestion(bytes) => (bytes, u64::MAX),
        Fault::CutAnswer(bytes) => (u64::MAX, bytes),
        _ => (u64::MAX, u64::MAX),
    };
    let (over, questions) = (AtomicBool::new(false), Meter::default());
    std::thread::scope(|scope| {
        scope.spawn(|| pump(&desk, &server, question, Fault::None, &[ending, &over], &questions));
        pump(&server, &desk, answer, fault, &[ending, &over], answers);
    });
}

/// Copies until the end, until `limit` bytes have passed, or until one of `stops` is set; then the
/// whole connection is over, as a cut cable is.
fn pump(
    mut from: &TcpStream,
    mut to: &TcpStream,
    limit: u64,
    fault: Fault,
    stops: &[&AtomicBool; 2],
    meter: &Meter,
) {
    let _ = from.set_read_timeout(Some(PATIENCE));
    let mut buffer = [0u8; 16 * 1024];
    let mut left = limit;
    let mut held_back = false;
    while left.min(meter.left()) > 0 && stops.iter().all(|stop| !stop.load(Ordering::Relaxed)) {
        let want = buffer.len().min(usize::try_from(left.min(meter.left())).unwrap_or(usize::MAX));
        let got = match from.read(&mut buffer[..want]) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                continue;
            }
            Err(_) => break,
        };
        if let (Fault::Delay(time), false) = (fault, held_back) {
            std::thread::sleep(time);
            held_back = true;
        }
        let sent = if fault == Fault::Dribble {
            buffer[..got].iter().try_for_each(|byte| to.write_all(&[*byte]))
        } else {
            to.write_all(&buffer[..got])
        };
        if sent.is_err() {
            break;
        }
        left -= got as u64;
        meter.carried.fetch_add(got as u64, Ordering::Relaxed);
    }
    stops[1].store(true, Ordering::Relaxed);
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A server that answers each connection's first line with itself, twice.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for connection in listener.incoming().take(4) {
                let mut connection = connection.unwrap();
                let mut word = [0u8; 4];
                if connection.read_exact(&mut word).is_ok() {
                    let _ = connection.write_all(&word);
                    let _ = connection.write_all(&word);
                }
            }
        });
        address
    }

    fn say(line: &BadLine) -> Vec<u8> {
        let mut desk = TcpStream::connect(line.address()).unwrap();
        let _ = desk.write_all(b"ping");
        let mut heard = Vec::new();
        let _ = desk.read_to_end(&mut heard);
        heard
    }

    #[test]
    fn each_connection_suffers_what_was_planned_for_it() {
        let faults = [Fault::None, Fault::Refuse, Fault::CutQuestion(2), Fault::CutAnswer(5), Fault::Dribble];
        let line = BadLine::open(echo(), move |number| faults[number as usize % faults.len()]).unwrap();
        assert_eq!(say(&line), b"pingping");
        assert_eq!(say(&line), b"");
        assert_eq!(say(&line), b"");
        assert_eq!(say(&line), b"pingp");
        assert_eq!(say(&line), b"pingping");
        assert_eq!(line.connections(), 5);
    }

    #[test]
    fn a_line_that_holds_for_some_bytes_carries_nothing_more_until_it_is_mended() {
        let line = BadLine::open(echo(), |_| Fault::None).unwrap();
        line.hold_for(5);
        assert_eq!(say(&line), b"pingp");
        assert_eq!(say(&line), b"");
        line.mend();
        assert_eq!(say(&line), b"pingping");
        assert_eq!(line.carried(), 13);
    }
}
