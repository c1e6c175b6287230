//! Bob's clinic has no network: USB sticks go to and fro.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aftercare_sync::pack::{pack, unpack};
use aftercare_sync::stick::{Header, StickKey, StickReader, StickWriter, Way, Word};
use aftercare_sync::wire::Request;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_bytes::ByteBuf;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::Server;
use super::{Hospital, site};
use crate::change_log::{PATIENT, verify};
use crate::error::Result;
use crate::imports::tests::count;
use crate::sync::round::Report;
use crate::sync::{client, state, stick};
use crate::testing::Desk;

impl Server {
    /// What the real server does with a desk's file, on this one's maps.
    fn answer_stick(&self, from: &Path, to: &Path) {
        let mut reader = StickReader::begin(std::fs::File::open(from).unwrap()).unwrap();
        let header = reader.header().clone();
        assert_eq!(header.way, Way::ToServer);
        reader.open(&key()).unwrap();
        let mut memory = self.0.lock().unwrap();
        let (mut last, mut refused) = (None, None);
        while let Some(frame) = reader.next_frame().unwrap() {
            let request: Request = unpack(&frame).unwrap();
            let device = &memory.devices[&header.device];
            let end = request.first + request.ops.len() as i64 - 1;
            let mut sent = request.clone();
            if end < device.last_dseq {
                (sent.first, sent.chain) = (device.last_dseq + 1, ByteBuf::from(device.chain.clone()));
                sent.ops.clear();
            }
            refused = refused.or(memory.sync(&sent).err());
            last = Some(request);
        }
        let (text, signature) = reader.signature().unwrap();
        let public = client::public_key(&client::key_pair(&[7; 32]).unwrap());
        UnparsedPublicKey::new(&ED25519, public).verify(text.as_bytes(), signature).unwrap();

        let device = memory.devices[&header.device].clone();
        let back = Header { way: Way::ToDesk, file: Uuid::from_u128(memory.head as u128), ..header };
        let mut writer = StickWriter::begin(std::fs::File::create(to).unwrap(), &back, &key()).unwrap();
        let mut put = |word: &Word| writer.frame(&pack(word).unwrap()).unwrap();
        put(&Word::State {
            epoch: memory.lineage.last().unwrap().epoch,
            last_dseq: device.last_dseq,
            chain: ByteBuf::from(device.chain.clone()),
            sites: device.sites.clone(),
        });
        let mut ask = Request {
            first: device.last_dseq + 1,
            chain: ByteBuf::from(device.chain),
            ops: Vec::new(),
            wants_digest: true,
            ..last.unwrap()
        };
        if let Some(refusal) = refused {
            put(&Word::Refused(refusal));
        } else {
            loop {
                let answer = memory.sync(&ask).unwrap();
                put(&Word::Answer(Box::new(answer.clone())));
                if let Some(verdict) = answer.verdicts.last() {
                    ask.acknowledged = verdict.dseq;
                }
                let cursors: BTreeMap<_, _> =
                    answer.pages.iter().map(|page| (page.scope, page.up_to)).collect();
                if cursors == ask.cursors {
                    break;
                }
                ask.cursors = cursors;
            }
        }
        writer.finish(|_| Vec::new()).unwrap();
    }
}

fn key() -> StickKey {
    StickKey(vec![9; 32])
}

fn file(desk: &Desk, name: &str) -> PathBuf {
    desk.home.path().join(name)
}

fn written(desk: &Desk, name: &str) -> PathBuf {
    let path = file(desk, name);
    stick::export(&desk.ctx(), &path, &crate::app::jobs::Progress::unwatched()).unwrap();
    path
}

fn read(desk: &Desk, path: &Path) -> Result<Report> {
    stick::import(&desk.ctx(), path, &crate::app::jobs::Progress::unwatched())
}

fn refused(desk: &Desk, path: &Path) -> &'static str {
    read(desk, path).unwrap_err().code.as_str()
}

/// There and back.
fn exchange(hospital: &Hospital, desk: &Desk) -> Report {
    let (there, back) = (written(desk, "there"), file(desk, "back"));
    hospital.server.answer_stick(&there, &back);
    read(desk, &back).unwrap()
}

fn address(desk: &Desk, patient: Uuid) -> String {
    let sql = "SELECT address FROM patient WHERE id = ?1";
    desk.ctx().read(|c| Ok(c.query_row(sql, [patient], |row| row.get(0))?)).unwrap()
}

fn move_house(desk: &Desk, patient: Uuid, to: &str) {
    desk.ctx().write(|w| w.update(&PATIENT, patient, &[("address", to.into())])).unwrap();
}

#[test]
fn bobs_clinic_has_everything_after_two_files() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let offline = hospital.server.line(&hospital.bob);
    offline.lose.set(1_000);
    assert!(hospital.server.try_sync(&hospital.bob, &offline).is_err());
    for number in 0..700 {
        move_house(&hospital.bob, who, &format!("东街 {number} 号"));
    }
    hospital.alice.call("archive_note", json!({ "patient_id": who, "kind": "note", "body": "家属来电" }));
    hospital.server.sync(&hospital.alice);
    let report = exchange(&hospital, &hospital.bob);
    assert_eq!((report.pushed, report.pending, report.rejected), (700, 0, 0));
    assert!(report.pulled > 0 && report.digest.is_some(), "{report:?}");
    let status = hospital.bob.call("sync_status", json!({}));
    assert_eq!((&status["unsent"], &status["safe_to_shut_down"]), (&json!(0), &json!(true)));
    assert_eq!(hospital.server.sync(&hospital.alice).digest, report.digest, "both have the same");
    assert_eq!(address(&hospital.alice, who), "东街 699 号");
    hospital.bob.ctx().read(verify).unwrap();
    // When the network comes back it goes on as if it had always been there.
    assert_eq!(hospital.server.sync(&hospital.bob).pushed, 0);
    hospital.meet();
}

#[test]
fn files_may_come_twice_late_and_in_any_order() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    move_house(&hospital.bob, who, "东街");
    let (first, first_back) = (written(&hospital.bob, "1"), file(&hospital.bob, "1.back"));
    hospital.server.answer_stick(&first, &first_back);
    // The answer stays in somebody's pocket; bob goes on.
    move_house(&hospital.bob, who, "西街");
    let (second, second_back) = (written(&hospital.bob, "2"), file(&hospital.bob, "2.back"));
    hospital.server.answer_stick(&second, &second_back);
    assert_eq!(read(&hospital.bob, &second_back).unwrap().pushed, 2);
    for old in [&first_back, &second_back, &first_back] {
        let report = read(&hospital.bob, old).unwrap();
        assert_eq!((report.pushed, report.pulled, report.pending), (0, 0, 0));
    }
    // And at the server.
    let again = file(&hospital.bob, "again.back");
    hospital.server.answer_stick(&first, &again);
    hospital.server.answer_stick(&second, &again);
    read(&hospital.bob, &again).unwrap();
    hospital.meet();
    assert_eq!(address(&hospital.alice, who), "西街");
}

#[test]
fn an_old_answer_does_not_take_away_who_has_come_back() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let (his, hers) = (site(&hospital.bob), site(&hospital.alice));
    let device = hospital.server.line(&hospital.bob).device;
    hospital.server.0.lock().unwrap().devices.get_mut(&device).unwrap().sites = [his].into();
    hospital.server.sync(&hospital.bob);
    let goes_to = |site: Uuid| {
        hospital.alice.ctx().write(|w| w.update(&PATIENT, who, &[("site_id", site.into())])).unwrap();
        hospital.server.sync(&hospital.alice);
    };
    let here =
        || count(&hospital.bob, &format!("SELECT count(*) FROM patient WHERE id = x'{}'", who.simple()));
    goes_to(his);
    goes_to(hers);
    let (there, left) = (written(&hospital.bob, "there"), file(&hospital.bob, "left"));
    hospital.server.answer_stick(&there, &left);
    read(&hospital.bob, &left).unwrap();
    assert_eq!(here(), 0);
    goes_to(his);
    exchange(&hospital, &hospital.bob);
    assert_eq!(here(), 1);
    read(&hospital.bob, &left).unwrap();
    assert_eq!(here(), 1);
}

#[test]
fn what_is_no_answer_for_this_desk_is_named_and_nothing_is_lost() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    move_house(&hospital.bob, who, "东街");
    let (there, back) = (written(&hospital.bob, "there"), file(&hospital.bob, "back"));
    assert_eq!(refused(&hospital.bob, &there), "stick_wrong_way");
    assert_eq!(refused(&hospital.bob, &file(&hospital.bob, "nowhere")), "file_missing");
    assert_eq!(refused(&hospital.bob, hospital.bob.home.path()), "file_not_regular");
    hospital.server.answer_stick(&there, &back);
    assert_eq!(refused(&hospital.alice, &back), "stick_other_desk");
    let whole = std::fs::read(&back).unwrap();
    let cut = file(&hospital.bob, "cut");
    for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &whole[..10], &[]] {
        std::fs::write(&cut, bytes).unwrap();
        assert_eq!(refused(&hospital.bob, &cut), "stick_damaged");
    }
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    std::fs::write(&cut, altered).unwrap();
    assert_eq!(refused(&hospital.bob, &cut), "stick_damaged", "not even what comes before the change counts");
    let status = hospital.bob.call("sync_status", json!({}));
    assert_eq!(status["unsent"], 1, "nothing of it was taken in");
    let sql = "UPDATE sync_server SET tenant = x'00000000000000000000000000000001'";
    hospital.bob.ctx().db().write(|c, _| Ok(c.execute(sql, [])?)).unwrap();
    assert_eq!(refused(&hospital.bob, &back), "stick_other_hospital");
    let sql = format!("UPDATE sync_server SET tenant = x'{}'", Uuid::from_u128(7).simple());
    hospital.bob.ctx().db().write(|c, _| Ok(c.execute(&sql, [])?)).unwrap();
    assert_eq!(read(&hospital.bob, &back).unwrap().pushed, 1);
}

#[test]
fn a_restored_server_is_told_everything_again_by_the_next_stick() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let before = hospital.server.copy();
    move_house(&hospital.bob, who, "东街");
    let (there, old) = (written(&hospital.bob, "there"), file(&hospital.bob, "old"));
    hospital.server.answer_stick(&there, &old);
    read(&hospital.bob, &old).unwrap();
    hospital.server.restore(before);
    let told = exchange(&hospital, &hospital.bob);
    assert_eq!(told.pending, 1, "what the server has lost is unsent again");
    assert_eq!(refused(&hospital.bob, &old), "stick_gap", "its numbers mean something else by now");
    let report = exchange(&hospital, &hospital.bob);
    assert_eq!((report.pushed, report.pending), (1, 0));
    hospital.meet();
    assert_eq!(address(&hospital.alice, who), "东街");
}

#[test]
fn the_copy_of_a_pc_is_found_out_by_its_stick() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let copy = hospital.alice.copied();
    move_house(&hospital.alice, who, "东街");
    exchange(&hospital, &hospital.alice);
    move_house(&copy, who, "西街");
    let (there, back) = (written(&copy, "there"), file(&copy, "back"));
    hospital.server.answer_stick(&there, &back);
    assert_eq!(refused(&copy, &back), "sync_forked");
    let status = copy.call("sync_status", json!({}));
    assert_eq!(status["problem"], "sync_forked");
}

#[test]
fn a_desk_that_is_not_filled_writes_no_stick() {
    let hospital = Hospital::new();
    let job = hospital.bob.call("sync_stick_write", json!({ "path": file(&hospital.bob, "there") }));
    assert_eq!(ended(&hospital.bob, &job)["error"]["code"], "stick_too_early");
    hospital.meet();
    let job = hospital.bob.call("sync_stick_write", json!({ "path": file(&hospital.bob, "there") }));
    assert_eq!(ended(&hospital.bob, &job)["result"]["changes"], 0);
    let own = hospital.bob.ctx().read(state::own).unwrap();
    assert!(own.last_dseq > 0);
}

fn ended(desk: &Desk, job: &Value) -> Value {
    loop {
        let status = desk.call("settings_job", json!({ "id": job["id"] }));
        if status["state"] != "running" {
            return status;
        }
        std::thread::yield_now();
    }
}
