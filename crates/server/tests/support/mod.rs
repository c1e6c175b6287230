//! A real server process on a port of its own, and a desk that speaks to it over TLS, byte by byte.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op, chain_hash};
use aftercare_sync::code::EnrolCode;
use aftercare_sync::desk::encode;
use aftercare_sync::door::{
    EnrolAnswer, EnrolRequest, HEADER_AT, HEADER_SIGNATURE, Problem, TokenAnswer, TokenRequest, base64url,
    enrol_text, request_text, token_text,
};
use aftercare_sync::pack;
use aftercare_sync::wire::{Answer, PROTOCOL, Refusal, Request};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_aftercare-server");

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A server with its home; stopped when dropped.
pub struct Server {
    pub home: TempDir,
    pub address: SocketAddr,
    pub first_words: String,
    child: Child,
    log: Arc<Mutex<String>>,
    environment: Vec<(&'static str, String)>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_in(TempDir::new().unwrap())
    }

    pub fn start_in(home: TempDir) -> Self {
        Self::start_with(home, Vec::new())
    }

    pub fn start_with(home: TempDir, environment: Vec<(&'static str, String)>) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0", "--hospital", "县医院", "--home"])
            .arg(home.path())
            .env("LANG", "en_US.UTF-8")
            .env_remove("LC_ALL")
            .envs(environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (errors, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut words = BufReader::new(child.stdout.take().unwrap());
        let mut first_words = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(words.read_line(&mut line).unwrap() > 0, "no address: {}", log.lock().unwrap());
            if let Some(rest) = line.strip_prefix("Serving at https://") {
                break rest.split(' ').next().unwrap().parse().unwrap();
            }
            first_words.push_str(&line);
        };
        Self { home, address, first_words, child, log, environment }
    }

    /// Ends the process as a power cut does; its home.
    pub fn into_home(mut self) -> TempDir {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::replace(&mut self.home, TempDir::new().unwrap())
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A command of the administrator beside the running server.
    pub fn command(&self, words: &[&str]) -> Result<Value, Value> {
        command_with(self.home.path(), words, &self.environment)
    }

    pub fn code(&self, more: &[&str]) -> String {
        let said = self.command(&[&["code", "new"], more].concat()).unwrap();
        said["code"].as_str().unwrap().to_owned()
    }

    pub fn authority(&self) -> Vec<u8> {
        let pem = std::fs::read_to_string(self.home.path().join("authority.pem")).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        data_encoding::BASE64.decode(body.as_bytes()).unwrap()
    }

    /// Ends the process as an operator does; how long it took.
    pub fn terminate(mut self) -> (TempDir, Duration, bool) {
        let start = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let home = std::mem::replace(&mut self.home, TempDir::new().unwrap());
        (home, start.elapsed(), status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn command(home: &Path, words: &[&str]) -> Result<Value, Value> {
    command_with(home, words, &[])
}

pub fn command_with(
    home: &Path,
    words: &[&str],
    environment: &[(&'static str, String)],
) -> Result<Value, Value> {
    let out = Command::new(PROGRAM)
        .args(["--json", "--home"])
        .arg(home)
        .args(words)
        .env("LANG", "en_US.UTF-8")
        .env_remove("LC_ALL")
        .envs(environment.iter().cloned())
        .output()
        .unwrap();
    if out.status.success() {
        Ok(serde_json::from_slice(&out.stdout).unwrap())
    } else {
        let said = String::from_utf8_lossy(&out.stderr);
        Err(serde_json::from_str(said.lines().last().unwrap_or("null")).unwrap())
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn unpack<T: serde::de::DeserializeOwned>(&self) -> T {
        pack::unpack(&self.body).unwrap()
    }

    pub fn problem(&self) -> Problem {
        assert!(self.status >= 400, "{}", self.status);
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }
}

/// One request over a connection of its own that trusts `authority` alone.
pub fn ask(
    address: SocketAddr,
    authority: &[u8],
    method: &str,
    target: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> std::io::Result<Reply> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut stream = StreamOwned::new(connection, socket);
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nhost: server\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A server that has seen enough closes before it has read everything.
    let _ = stream.write_all(body);
    let _ = stream.flush();
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes)
        && bytes.is_empty()
    {
        return Err(error);
    }
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Ok(Reply { status, headers, body: bytes[end + 4..].to_vec() })
}

/// A desk that keeps its ops in memory.
pub struct Desk {
    pub address: SocketAddr,
    pub authority: Vec<u8>,
    pub id: Uuid,
    pub pair: Ed25519KeyPair,
    pub tenant: Uuid,
    pub token: String,
    pub sites: BTreeSet<Uuid>,
    pub epoch: i64,
    pub ops: Vec<Vec<u8>>,
    pub chain: Vec<u8>,
    pub sent: i64,
    /// How far the desk's clock is off.
    pub skew: i64,
}

impl Desk {
    pub fn new(server: &Server) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self {
            address: server.address,
            authority: server.authority(),
            id: Uuid::now_v7(),
            pair: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap(),
            tenant: Uuid::nil(),
            token: String::new(),
            sites: BTreeSet::new(),
            epoch: 0,
            ops: Vec::new(),
            chain: Vec::new(),
            sent: 0,
            skew: 0,
        }
    }

    /// The same desk once more, for what it might write instead.
    pub fn twin(&self) -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self {
            address: self.address,
            authority: self.authority.clone(),
            id: self.id,
            pair: Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap(),
            tenant: self.tenant,
            token: self.token.clone(),
            sites: self.sites.clone(),
            epoch: self.epoch,
            ops: self.ops.clone(),
            chain: self.chain.clone(),
            sent: self.sent,
            skew: self.skew,
        }
    }

    pub fn enrol_request(&self, code: &str, history: bool) -> EnrolRequest {
        let code = EnrolCode::parse(code).unwrap();
        let public_key = self.pair.public_key().as_ref().to_vec();
        let text = enrol_text(&code.number, self.id, &public_key);
        EnrolRequest {
            protocol: PROTOCOL,
            number: code.number,
            secret: code.secret,
            device: self.id,
            signature: self.pair.sign(text.as_bytes()).as_ref().to_vec(),
            public_key,
            name: "门诊一号机".into(),
            sites: self.sites.clone(),
            history_to: if history { i64::try_from(self.ops.len()).unwrap() } else { 0 },
        }
    }

    pub fn post(&self, target: &str, body: &impl serde::Serialize) -> Reply {
        let body = serde_json::to_vec(body).unwrap();
        ask(self.address, &self.authority, "POST", target, &[], &body).unwrap()
    }

    pub fn enrol(&mut self, code: &str, history: bool) -> Result<EnrolAnswer, Problem> {
        let reply = self.post("/v1/enrol", &self.enrol_request(code, history));
        if reply.status != 200 {
            return Err(reply.problem());
        }
        let answer: EnrolAnswer = reply.json();
        self.tenant = answer.tenant;
        self.epoch = answer.epoch;
        self.sites = answer.sites.clone();
        Ok(answer)
    }

    pub fn fetch_token(&mut self) -> Result<BTreeSet<Uuid>, Problem> {
        let at_millis = now() + self.skew;
        let signature = self.pair.sign(token_text(self.id, at_millis).as_bytes()).as_ref().to_vec();
        let reply = self.post("/v1/token", &TokenRequest { device: self.id, at_millis, signature });
        if reply.status != 200 {
            return Err(reply.problem());
        }
        let answer: TokenAnswer = reply.json();
        self.token = answer.token;
        Ok(answer.shut_out)
    }

    pub fn headers(&self, method: &str, target: &str, body: &[u8]) -> Vec<(&'static str, String)> {
        let at = now() + self.skew;
        let text = request_text(method, target, body, at, &self.token);
        vec![
            ("authorization", format!("Bearer {}", self.token)),
            (HEADER_AT, at.to_string()),
            (HEADER_SIGNATURE, base64url::encode(self.pair.sign(text.as_bytes()).as_ref())),
        ]
    }

    /// A signed request.
    pub fn signed(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        let headers = self.headers(method, target, body);
        ask(self.address, &self.authority, method, target, &headers, body).unwrap()
    }

    /// The same to a server that may end meanwhile.
    pub fn try_signed(&self, method: &str, target: &str, body: &[u8]) -> Option<Reply> {
        let headers = self.headers(method, target, body);
        ask(self.address, &self.authority, method, target, &headers, body).ok()
    }

    pub fn signed_json(&self, method: &str, target: &str, body: &impl serde::Serialize) -> Reply {
        self.signed(method, target, &serde_json::to_vec(body).unwrap())
    }

    /// Writes an op that makes a record.
    pub fn make(&mut self, entity: &str, id: Uuid, user: Uuid, fields: &[(&str, FieldValue)]) {
        let op = Op {
            protocol: OP_PROTOCOL,
            op_id: id,
            dseq: i64::try_from(self.ops.len()).unwrap() + 1,
            device: self.id,
            user,
            hlc: Hlc::default().tick(now() + self.skew),
            kind: ChangeKind::Fields,
            entity: entity.to_owned(),
            id,
            command: None,
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            base: BTreeMap::new(),
        };
        self.ops.push(encode(&op).into_vec());
    }

    pub fn request(&self) -> Request {
        let unsent = &self.ops[usize::try_from(self.sent).unwrap()..];
        Request {
            protocol: PROTOCOL,
            epoch: self.epoch,
            device: self.id,
            acknowledged: self.sent,
            first: self.sent + 1,
            chain: self.chain.clone().into(),
            ops: unsent.iter().map(|op| op.clone().into()).collect(),
            cursors: self.sites.iter().copied().chain([Uuid::nil()]).map(|scope| (scope, 0)).collect(),
            ..serde_from_nothing()
        }
    }

    /// Sends what is unsent; the feed from its beginning comes back.
    pub fn sync(&mut self) -> Result<Answer, Reply> {
        let reply = self.signed("POST", "/v1/sync", &pack::pack(&self.request()).unwrap());
        if reply.status != 200 {
            return Err(reply);
        }
        for op in &self.ops[usize::try_from(self.sent).unwrap()..] {
            self.chain = chain_hash(&self.chain, op).to_vec();
        }
        self.sent = i64::try_from(self.ops.len()).unwrap();
        Ok(reply.unpack())
    }

    pub fn refusal(reply: &Reply) -> Refusal {
        reply.unpack()
    }
}

/// A request that says nothing; what the test does not care about.
fn serde_from_nothing() -> Request {
    let text = r#"{"protocol":1,"epoch":0,"device":"00000000-0000-0000-0000-000000000000",
        "acknowledged":0,"first":1,"chain":[],"ops":[],"cursors":{}}"#;
    serde_json::from_str(text).unwrap()
}

/// A desk with a history of its own, enrolled: a site, an administrator of the desk, a nurse.
pub struct Hospital {
    pub desk: Desk,
    pub site: Uuid,
    pub boss: Uuid,
    pub nurse: Uuid,
}

pub fn hospital(server: &Server, more: &[&str]) -> Hospital {
    let mut desk = Desk::new(server);
    let (site, boss, nurse) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    desk.sites.insert(site);
    desk.make("site", site, boss, &[("name", "本部".into())]);
    let person = |login: &str, roles: &str| {
        [("login", FieldValue::from(login)), ("display_name", login.into()), ("roles", roles.into())]
    };
    desk.make("staff", boss, boss, &person("sam", r#"["supervisor"]"#));
    desk.make("staff", nurse, boss, &person("alice", r#"["supervisor"]"#));
    desk.enrol(&server.code(&[&["--history"], more].concat()), true).unwrap();
    desk.fetch_token().unwrap();
    let answer = desk.sync().unwrap();
    assert_eq!(answer.last_dseq, 3);
    Hospital { desk, site, boss, nurse }
}
