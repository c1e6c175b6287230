//! kill −9 while an attachment comes in parts: what is there is known, and the rest follows.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use aftercare_sync::door::BlobState;
use sha2::{Digest, Sha256};
use support::{Server, hospital};
use uuid::Uuid;

const PART: usize = 1000;

#[test]
fn an_attachment_goes_on_where_the_server_was_killed() {
    let mut server = Server::start();
    let mut story = hospital(&server, &[]);
    let patient = Uuid::now_v7();
    let fields = [("name", "赵六".into()), ("site_id", story.site.into())];
    story.desk.make("patient", patient, story.nurse, &fields);
    story.desk.sync().unwrap();
    let file: Vec<u8> = (0..5 * PART).map(|n| (n % 251) as u8).collect();
    let path = format!("/v1/blobs/{patient}/{}", data_encoding::HEXLOWER.encode(&Sha256::digest(&file)));
    let mut have = 0;
    let mut kills = 0;
    for point in
        ["server.blob.part", "server.commit.before", "server.commit.after", "server.blob.before_answer"]
    {
        let home = server.into_home();
        server = Server::start_with(home, vec![("AFTERCARE_DIE_AT", format!("{point}:1"))]);
        story.desk.address = server.address;
        // The point may lie in a write that comes before the part's own, such as the desk's contact.
        assert!(story.desk.try_signed("PUT", &put(&path, have, file.len()), part(&file, have)).is_none());
        kills += 1;
        let home = server.into_home();
        server = Server::start_in(home);
        story.desk.address = server.address;
        let state = story.desk.signed("GET", &path, b"");
        let before = have;
        have = if state.status == 404 { 0 } else { usize::try_from(state.json::<BlobState>().have).unwrap() };
        assert!(have == before || have == before + PART, "{point}: {have} after {before}");
        assert!(point != "server.blob.before_answer" || have == before + PART, "it was committed");
    }
    while have < file.len() {
        let reply = story.desk.signed("PUT", &put(&path, have, file.len()), part(&file, have));
        have = usize::try_from(reply.json::<BlobState>().have).unwrap();
    }
    let mut back = Vec::new();
    while back.len() < file.len() {
        let reply = story.desk.signed("GET", &format!("{path}/parts?offset={}", back.len()), b"");
        assert_eq!(reply.status, 200);
        back.extend(reply.body);
    }
    assert_eq!(back, file);
    println!("{kills} kills while an attachment came in, nothing lost");
}

fn put(path: &str, from: usize, size: usize) -> String {
    format!("{path}?offset={from}&size={size}")
}

fn part(file: &[u8], from: usize) -> &[u8] {
    &file[from..from + PART]
}
