//! Sites made at the server, and a hospital that leaves with everything it has.

use aftercare_sync::accept::decode;
use aftercare_sync::door::SnapshotPage;
use aftercare_sync::wire::Event;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::support::{Desk, Server, hospital};

/// The names of the sites as a desk that begins gets them.
fn sites_of(desk: &Desk) -> Vec<String> {
    let page: SnapshotPage = desk.signed("GET", &format!("/v1/snapshots/{}", Uuid::nil()), b"").unpack();
    let sites = page.records.iter().filter(|record| record.key.entity == "site");
    sites.map(|record| record.text("name").unwrap().to_owned()).collect()
}

#[test]
fn sites_are_made_before_the_first_desk_and_renamed_while_desks_work() {
    let server = Server::start();
    let east = server.command(&["sites", "add", " 东院 "]).unwrap();
    assert_eq!(server.command(&["sites", "add", "东院"]).unwrap_err()["code"], "taken");
    assert_eq!(server.command(&["sites", "add", " "]).unwrap_err()["code"], "name_unfit");
    let mut first = Desk::new(&server);
    let answer = first.enrol(&server.code(&["--sites", "东院"]), false).unwrap();
    let id = Uuid::parse_str(east["id"].as_str().unwrap()).unwrap();
    assert_eq!(answer.sites, [id].into());
    first.fetch_token().unwrap();
    assert_eq!(sites_of(&first), ["东院"]);

    // A desk that is there already hears of both changes in its feed.
    let before = first.sync().unwrap();
    server.command(&["sites", "rename", "东院", "东湖院区"]).unwrap();
    server.command(&["sites", "add", "西院"]).unwrap();
    assert_eq!(server.command(&["sites", "rename", "西院", "东湖院区"]).unwrap_err()["code"], "taken");
    assert_eq!(server.command(&["sites", "rename", "南院", "北院"]).unwrap_err()["code"], "site_unknown");
    let answer = first.sync().unwrap();
    assert_eq!(answer.head, before.head + 2);
    let entries = answer.pages.iter().flat_map(|page| &page.entries);
    let told: Vec<String> = entries
        .filter_map(|entry| match &entry.event {
            Event::Op(fed) => Some(decode(&fed.bytes).unwrap()),
            _ => None,
        })
        .filter(|op| op.entity == "site")
        .map(|op| format!("{:?}", op.fields["name"]))
        .collect();
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("东院") && told[1].contains("东湖院区") && told[2].contains("西院"));
    let mut names = sites_of(&first);
    names.sort();
    assert_eq!(names, ["东湖院区", "西院"]);
    let listed = server.command(&["sites", "list"]).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[test]
fn a_hospital_takes_records_changes_and_attachments_along_and_leaves_nothing() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let patient = Uuid::now_v7();
    let fields = [("name", "赵六".into()), ("site_id", story.site.into())];
    story.desk.make("patient", patient, story.nurse, &fields);
    story.desk.sync().unwrap();
    let file: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
    let sha = data_encoding::HEXLOWER.encode(&Sha256::digest(&file));
    for (offset, part) in [(0, &file[..500_000]), (500_000, &file[500_000..])] {
        let target = format!("/v1/blobs/{patient}/{sha}?offset={offset}&size={}", file.len());
        assert_eq!(story.desk.signed("PUT", &target, part).status, 200);
    }
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("leave.jsonl");
    let said = server.command(&["tenants", "export", "main", to.to_str().unwrap()]).unwrap();
    assert_eq!(said, serde_json::json!({ "records": 4, "ops": 4, "attachments": 1 }));
    let text = std::fs::read_to_string(&to).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    assert!(of("record").iter().any(|line| line["values"]["name"] == "赵六"));
    let ops = of("op");
    assert_eq!(ops.len(), 4);
    assert!(ops[3]["op"]["entity"] == "patient" && ops[3]["outcome"] == "accepted");
    let parts = of("part");
    let bytes = parts
        .iter()
        .flat_map(|part| data_encoding::BASE64.decode(part["bytes"].as_str().unwrap().as_bytes()).unwrap());
    assert_eq!((parts.len(), bytes.collect::<Vec<u8>>() == file), (2, true));

    server.command(&["tenants", "delete", "main", "--confirm-name", "县医院"]).unwrap();
    let left = std::fs::read_dir(server.home.path().join("tenants")).unwrap().count();
    assert_eq!(left, 0, "the hospital's file is gone, with its log");
    // The process that had the file open serves nothing more of it, and neither does its successor.
    assert_eq!(story.desk.sync().unwrap_err().problem().code, "device_unknown");
    let (home, _, _) = server.terminate();
    let again = Server::start_in(home);
    story.desk.address = again.address;
    assert_eq!(story.desk.sync().unwrap_err().problem().code, "device_unknown");
}
