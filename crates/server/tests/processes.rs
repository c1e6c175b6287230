//! Two server processes over one PostgreSQL: what one began the other goes on with.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(dead_code)]
#[path = "store/postgres.rs"]
mod postgres;
mod support;

use aftercare_sync::wire::Outcome;
use postgres::{Cluster, OWNER, SERVICE};
use support::{Server, hospital};
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
        assert_eq!(first.command(&["backup", "/nowhere"]).unwrap_err()["code"], "sqlite_only");
        let epochs = first.command(&["new-epoch"]).unwrap();
        assert!(epochs[0]["epoch"].as_i64().unwrap() > 1);
    })
    .await
    .unwrap();
}
