//! Two server processes over one PostgreSQL: what one began the other goes on with.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(dead_code)]
#[path = "store/postgres.rs"]
mod postgres;
mod support;

use aftercare_sync::door::{BlobState, ErasureAnswer, ErasureRequest, SnapshotPage};
use aftercare_sync::wire::Outcome;
use postgres::{Cluster, OWNER, SERVICE};
use sha2::{Digest, Sha256};
use support::{Server, command_with, hospital};
use tempfile::tempdir;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_enrols_at_one_server_and_syncs_at_another() {
    let cluster = Cluster::start(false).await;
    cluster.make_database("aftercare", None).await;
    let database = cluster.url(SERVICE, "aftercare");
    let owner = cluster.url(OWNER, "aftercare");
    tokio::task::spawn_blocking(move || {
        let environment =
            vec![("AFTERCARE_SERVER_DATABASE", database.clone()), ("AFTERCARE_SERVER_DATABASE_OWNER", owner)];
        let first = Server::start_with(tempfile::tempdir().unwrap(), environment);
        let home = tempfile::tempdir().unwrap();
        for file in ["authority.pem", "authority.key"] {
            std::fs::copy(first.home.path().join(file), home.path().join(file)).unwrap();
        }
        let second = Server::start_with(home, vec![("AFTERCARE_SERVER_DATABASE", database)]);
        assert!(first.first_words.contains("admin") && second.first_words.is_empty());

        // Enrolled and with a token from the first; neither file nor memory of it is at the second.
        let mut story = hospital(&first, &[]);
        story.desk.address = second.address;
        let patient = Uuid::now_v7();
        let fields = [("name", "赵六".into()), ("site_id", story.site.into())];
        story.desk.make("patient", patient, story.nurse, &fields);
        let answer = story.desk.sync().unwrap();
        assert_eq!((answer.last_dseq, answer.head), (4, 4));
        assert!(answer.verdicts.iter().all(|verdict| verdict.outcome == Outcome::Accepted));
        second.command(&["devices", "revoke", &story.desk.id.to_string()]).unwrap();
        story.desk.address = first.address;
        assert_eq!(story.desk.sync().unwrap_err().problem().code, "device_revoked");
        let epochs = first.command(&["new-epoch"]).unwrap();
        assert!(epochs[0]["epoch"].as_i64().unwrap() > 1);
    })
    .await
    .unwrap();
}

/// Where a server keeps its data.
type Environment = Vec<(&'static str, String)>;

fn on_postgres(cluster: &Cluster, database: &str) -> Environment {
    vec![
        ("AFTERCARE_SERVER_DATABASE", cluster.url(SERVICE, database)),
        ("AFTERCARE_SERVER_DATABASE_OWNER", cluster.url(OWNER, database)),
    ]
}

/// A server is backed up while a desk writes, restored elsewhere, and the desk offers what the backup lacks.
fn back_up_and_restore(from: Environment, to: Environment) {
    let server = Server::start_with(tempdir().unwrap(), from);
    let mut story = hospital(&server, &[]);
    let patient = Uuid::now_v7();
    let fields = [("name", "赵六".into()), ("site_id", story.site.into())];
    story.desk.make("patient", patient, story.nurse, &fields);
    story.desk.sync().unwrap();
    let file = b"a scan of a letter".repeat(1000);
    let blob = format!("/v1/blobs/{patient}/{}", data_encoding::HEXLOWER.encode(&Sha256::digest(&file)));
    let put = story.desk.signed("PUT", &format!("{blob}?offset=0&size={}", file.len()), &file);
    assert!(put.json::<BlobState>().complete);
    let gone = Uuid::now_v7();
    story.desk.make("patient", gone, story.nurse, &fields);
    story.desk.sync().unwrap();
    let given = |login: &str| {
        let said = server.command(&["users", "reset", login]).unwrap();
        said["password"].as_str().unwrap().to_owned()
    };
    let (alice, sam) = (given("alice"), given("sam"));

    let place = tempdir().unwrap();
    let folder = place.path().join("backup");
    let folder = folder.to_str().unwrap();
    let covered = std::thread::scope(|scope| {
        // The desk writes on meanwhile; the backup waits for nothing and is one state.
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                story.desk.make("patient", Uuid::now_v7(), story.nurse, &[("site_id", story.site.into())]);
                story.desk.sync().unwrap();
            }
        });
        let manifest = server.command(&["backup", folder, "--off-host"]).unwrap();
        writer.join().unwrap();
        manifest["hospitals"][0]["head"].as_i64().unwrap()
    });
    assert!((5..=25).contains(&covered), "{covered}");
    // After the backup too: this is what the restore loses.
    story.desk.make("patient", Uuid::now_v7(), story.nurse, &[("site_id", story.site.into())]);
    let answer = story.desk.sync().unwrap();
    assert_eq!((answer.head, answer.durable_seq), (26, covered));
    for (target, login, password) in [("/v1/erasures", "alice", alice), ("/v1/erasures/confirm", "sam", sam)]
    {
        let request = ErasureRequest { root: gone, login: login.into(), password };
        let _: ErasureAnswer = story.desk.signed_json("POST", target, &request).json();
    }
    let users = server.command(&["users", "list"]).unwrap();
    let home = tempdir().unwrap();
    // The backup knows nothing of the erasure: the old server's list does.
    std::fs::copy(server.home.path().join("erasures.json"), home.path().join("erasures.json")).unwrap();
    drop(server);

    command_with(home.path(), &["verify", folder], &to).unwrap();
    let epochs = command_with(home.path(), &["restore", folder], &to).unwrap();
    assert!(epochs[0]["epoch"].as_i64().unwrap() > 1_000_000);
    let again = command_with(home.path(), &["restore", folder], &to).unwrap_err();
    assert_eq!(again["code"], "not_empty");
    let restored = Server::start_with(home, to);
    assert!(restored.first_words.is_empty(), "it is the server it was");
    assert_eq!(restored.authority(), story.desk.authority);
    assert_eq!(restored.command(&["users", "list"]).unwrap(), users);
    story.desk.address = restored.address;
    assert_eq!(story.desk.sync().unwrap_err().status, 410, "a new epoch, by itself");
    let got = story.desk.signed("GET", &format!("{blob}/parts?offset=0"), b"");
    assert_eq!(got.body, file);
    let hospitals = restored.command(&["tenants", "list"]).unwrap();
    assert_eq!(hospitals[0]["records"], covered - 1, "each op made one record here, and one is erased again");
    let page: SnapshotPage = story.desk.signed("GET", &format!("/v1/snapshots/{}", story.site), b"").unpack();
    assert!(page.records.iter().all(|record| record.key.id != gone), "whoever was erased stays so");
    let trail = restored.command(&["audit", "verify"]).unwrap();
    assert!(trail.as_array().unwrap().iter().all(|trail| trail["broken_at"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_either_database_is_put_back_into_either() {
    let cluster = Cluster::start(false).await;
    for name in ["first", "second", "third"] {
        cluster.make_database(name, None).await;
    }
    tokio::task::spawn_blocking(move || {
        back_up_and_restore(Vec::new(), Vec::new());
        back_up_and_restore(on_postgres(&cluster, "first"), on_postgres(&cluster, "second"));
        // Who grows out of the embedded database moves by a backup.
        back_up_and_restore(Vec::new(), on_postgres(&cluster, "third"));
        println!("backups restored: 3, into the same database and into the other");
    })
    .await
    .unwrap();
}
