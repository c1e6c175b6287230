//! Hospitals never see each other: by the store's own calls, and in SQL as the database role that the
//! server runs as.

use std::collections::BTreeSet;

use aftercare_domain::op::ChangeKind::{Fact, Fields};
use aftercare_server::store::postgres::{Postgres, TABLES, migrate};
use aftercare_server::store::{
    Attempt, AuditLine, BlobId, BlobPart, DeviceStatus, SERVER, ServerUser, Store, StoreError,
};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::desk::{Desk, START, accepted, id, make_hospital};
use crate::places::Place;
use crate::postgres::{Cluster, OWNER, SERVICE};

const RENMIN: Uuid = Uuid::from_u128(0x7e);
const XIEHE: Uuid = Uuid::from_u128(0x7f);

#[tokio::test]
async fn hospitals_are_apart_on_sqlite() {
    keep_apart(&*Place::sqlite().open().await).await;
}

#[tokio::test]
async fn hospitals_are_apart_on_postgresql() {
    let place = Place::postgres().await;
    keep_apart(&*place.open().await).await;
    let Place::Postgres { cluster, database } = &place else { unreachable!() };
    let service = cluster.connect(SERVICE, database).await;
    let admin = cluster.connect("postgres", database).await;
    for tenant in [RENMIN, XIEHE] {
        let sql = "INSERT INTO erased_record (tenant_id, id, root) VALUES ($1, $1, $1)";
        admin.execute(sql, &[&tenant]).await.unwrap();
    }
    for table in TABLES {
        try_everything(&service, &admin, table).await;
    }
    no_way_round(&service, &admin).await;
}

/// No table is without its policy, and nothing that the role may say gets round the policies.
async fn no_way_round(service: &Client, admin: &Client) {
    let sql = "SELECT relname::text, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace \
               AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname <> 'refinery_schema_history'";
    let mut there = BTreeSet::new();
    for row in admin.query(sql, &[]).await.unwrap() {
        let (name, guarded): (String, bool) = (row.get(0), row.get(1));
        assert!(guarded, "{name} is open to every hospital");
        there.insert(name);
    }
    assert_eq!(there, TABLES.map(str::to_owned).into(), "each is tried above");
    let mut tried = 0;
    for sql in [
        "SET row_security = off; SELECT * FROM op".to_owned(),
        format!("SET ROLE {OWNER}"),
        "SET ROLE postgres".to_owned(),
        format!("SET SESSION AUTHORIZATION {OWNER}"),
        "TRUNCATE op".to_owned(),
        "ALTER TABLE op DISABLE ROW LEVEL SECURITY".to_owned(),
        format!("ALTER TABLE op OWNER TO {SERVICE}"),
        "CREATE POLICY open ON op USING (true)".to_owned(),
        "CREATE VIEW everything AS SELECT * FROM op".to_owned(),
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM op'"
            .to_owned(),
        "UPDATE audit SET details = ''".to_owned(),
    ] {
        let error = service.batch_execute(&sql).await.expect_err(&sql);
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {error}");
        service.batch_execute("RESET row_security").await.unwrap();
        tried += 1;
    }
    for name in ["", "%", "NULL", "00000000-0000-0000-0000-000000000001"] {
        for table in TABLES {
            service.batch_execute("BEGIN").await.unwrap();
            service.execute("SELECT set_config('app.tenant', $1, true)", &[&name]).await.unwrap();
            let seen = service.query(&format!("SELECT * FROM {table}"), &[]).await;
            assert!(seen.is_err() || seen.is_ok_and(|rows| rows.is_empty()), "{table} as '{name}'");
            service.batch_execute("ROLLBACK").await.unwrap();
            tried += 1;
        }
    }
    println!(
        "{} tables under row-level security, {tried} ways round them tried in SQL, leaks: 0",
        there.len()
    );
}

#[tokio::test]
async fn a_hospital_that_is_deleted_leaves_no_row_in_any_table() {
    let place = Place::postgres().await;
    let store = place.open().await;
    keep_apart(&*store).await;
    let Place::Postgres { cluster, database } = &place else { unreachable!() };
    let admin = cluster.connect("postgres", database).await;
    let rows = async |table: &str, tenant: Uuid| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE tenant_id = $1");
        admin.query_one(&sql, &[&tenant]).await.unwrap().get(0)
    };
    let mut before = 0;
    for table in TABLES {
        before += rows(table, XIEHE).await;
    }
    let mut theirs = Vec::new();
    for table in TABLES {
        theirs.push(rows(table, RENMIN).await);
    }
    assert!(before > 10, "there was something to delete: {before}");
    store.delete_tenant(XIEHE).await.unwrap();
    for (table, count) in TABLES.into_iter().zip(theirs) {
        assert_eq!(rows(table, XIEHE).await, 0, "{table}");
        assert_eq!(rows(table, RENMIN).await, count, "{table} of another hospital");
    }
    for table in ["directory", "code_index", "device_index"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE hospital = $1");
        let left: i64 = admin.query_one(&sql, &[&XIEHE]).await.unwrap().get(0);
        assert_eq!(left, 0, "{table}");
    }
}

/// The same ids in two hospitals, so that nothing but the hospital tells them apart.
async fn keep_apart(store: &dyn Store) {
    let mut desks = Vec::new();
    for (tenant, word, device) in [(RENMIN, "renmin", id(0xa1)), (XIEHE, "xiehe", id(0xb1))] {
        make_hospital(store, tenant, word).await;
        desks.push(fill(store, tenant, device).await);
    }
    let [mine, theirs] = &desks[..] else { unreachable!() };
    let foreign = theirs.device;
    // A device of another hospital is nobody here, whatever it asks for.
    let mut request = theirs.request();
    request.cursors.clear();
    let limits = Default::default();
    assert_eq!(store.sync(RENMIN, request, START, limits).await, Err(StoreError::NotFound));
    let nobody = Err(StoreError::NotFound);
    assert_eq!(store.device(RENMIN, foreign).await, nobody.clone());
    assert_eq!(store.snapshot(RENMIN, foreign, SERVER, None, 9).await.unwrap_err(), StoreError::NotFound);
    assert_eq!(
        store.bucket_records(RENMIN, foreign, SERVER, 0, None, 9).await.unwrap_err(),
        StoreError::NotFound
    );
    assert_eq!(store.desk_key(RENMIN, foreign).await.unwrap_err(), StoreError::NotFound);
    assert_eq!(store.set_sites(RENMIN, foreign, BTreeSet::new()).await, Err(StoreError::NotFound));
    assert_eq!(
        store.set_device_status(RENMIN, foreign, DeviceStatus::Revoked, START).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(store.note_contact(RENMIN, foreign, START).await, Err(StoreError::NotFound));
    assert_eq!(store.note_unsent(RENMIN, foreign, 3).await, Err(StoreError::NotFound));
    // The same device id cannot be enrolled in a second hospital.
    assert_eq!(Desk::try_enrol(store, RENMIN, foreign, &[], 0).await.unwrap_err(), StoreError::Exists);
    assert_eq!(store.tenant_of_device(foreign).await, Ok(Some(XIEHE)));
    assert_eq!(store.tenant_of_device(mine.device).await, Ok(Some(RENMIN)));
    for (tenant, name) in [(RENMIN, "renmin"), (XIEHE, "xiehe")] {
        let all = store.export(tenant, None, 100).await.unwrap();
        assert!(all.iter().all(|record| record.text("body").is_none_or(|body| body == name)));
        assert_eq!(store.usage(tenant).await.unwrap().records, all.len() as i64);
        assert_eq!(store.user_by_login(tenant, "sam").await.unwrap().name, name);
        assert_eq!(store.audit_lines(tenant, 0, 10).await.unwrap()[0].line.details, name);
        assert_eq!(store.open_erasures(tenant, START).await.unwrap().len(), 1);
        assert_eq!(store.devices(tenant).await.unwrap().len(), 1);
    }
    let unknown = id(0xdead);
    assert_eq!(store.tenant(unknown).await, Err(StoreError::NotFound));
    assert_eq!(store.position(unknown).await, Err(StoreError::NotFound));
    assert_eq!(store.tenant(SERVER).await, Err(StoreError::NotFound));
}

/// Something of everything that a hospital has.
async fn fill(store: &dyn Store, tenant: Uuid, device: Uuid) -> Desk {
    let name = store.tenant(tenant).await.unwrap().word;
    let mut desk = Desk::enrol(store, tenant, device, &[id(0x51)], 9).await;
    let patient = id(0x9a);
    desk.write((Fields, "patient"), patient, &[("name", "王".into())], &[]);
    let body = [("patient_id", patient.into()), ("body", name.as_str().into())];
    desk.write((Fact, "note"), id(0x9b), &body, &[]);
    assert!(accepted(&desk.sync(store).await.unwrap()));
    let user = ServerUser {
        id: id(0x5a),
        login: "sam".into(),
        name: name.clone(),
        password_hash: "$argon2id$".into(),
        roles: vec!["administrator".into()],
        sites: BTreeSet::new(),
        active: true,
        locked_until: None,
        changed_at: START,
        trusted_from: START,
        set_by: Some(device),
    };
    store.put_user(tenant, user).await.unwrap();
    store.put_desk_key(tenant, device, vec![1, 2, 3]).await.unwrap();
    let attempt = Attempt { kind: "code", address: name.clone(), most: 5, each: 1000 };
    assert_eq!(store.take_attempt(attempt, START).await.unwrap(), None);
    store.ask_erasure(tenant, patient, id(0x5a), START).await.unwrap();
    let line =
        AuditLine { at: START, actor: id(0x5a), act: "enrol".into(), object: device, details: name.clone() };
    store.audit(tenant, line).await.unwrap();
    let bytes = name.into_bytes();
    let blob = BlobId { root: patient, sha256: Sha256::digest(&bytes).into() };
    let part = BlobPart { id: blob, size: bytes.len() as i64, offset: 0, bytes, at: START };
    assert!(store.put_blob_part(tenant, device, part).await.unwrap().complete);
    desk
}

/// As the server's role, in the name of one hospital: every statement against the rows of another.
async fn try_everything(service: &Client, admin: &Client, table: &str) {
    let across = ["attempt", "directory", "code_index", "device_index"].contains(&table);
    let (own, other) = if across { (RENMIN, SERVER) } else { (RENMIN, XIEHE) };
    let count = format!("SELECT count(*) FROM {table} WHERE tenant_id = $1");
    let theirs: i64 = admin.query_one(&count, &[&other]).await.unwrap().get(0);
    assert!(theirs > 0, "{table} has nothing to be seen");
    let everything: i64 =
        admin.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
    let mine: i64 = admin.query_one(&count, &[&own]).await.unwrap().get(0);

    let nobody: i64 = service.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
    assert_eq!(nobody, 0, "{table} without a hospital's name");
    service.batch_execute("BEGIN").await.unwrap();
    let name = format!("SELECT set_config('app.tenant', '{own}', true)");
    service.batch_execute(&name).await.unwrap();
    let seen: i64 = service.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
    assert_eq!(seen, mine, "{table}");
    let foreign: i64 = service.query_one(&count, &[&other]).await.unwrap().get(0);
    assert_eq!(foreign, 0, "{table}");
    let delete = format!("DELETE FROM {table} WHERE tenant_id = $1");
    assert_eq!(service.execute(&delete, &[&other]).await.unwrap(), 0, "{table}");
    service.batch_execute("ROLLBACK").await.unwrap();
    // Neither by naming another hospital in a new row, nor by giving one's own row to it.
    for sql in [
        format!(
            "INSERT INTO {table} SELECT (jsonb_populate_record(NULL::public.{table}, $1::text::jsonb)).*"
        ),
        format!(
            "UPDATE {table} SET tenant_id = (jsonb_populate_record(NULL::public.{table}, $1::text::jsonb)).tenant_id"
        ),
    ] {
        let row = format!("SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = $1 LIMIT 1");
        let row: String = admin.query_one(&row, &[&other]).await.unwrap().get(0);
        service.batch_execute("BEGIN").await.unwrap();
        service.batch_execute(&name).await.unwrap();
        let touched = service.execute(&sql, &[&row]).await;
        service.batch_execute("ROLLBACK").await.unwrap();
        match touched {
            // There was no own row to give away.
            Ok(rows) => assert_eq!((rows, mine), (0, 0), "{table}: {sql}"),
            Err(error) => assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{table}: {sql}"),
        }
    }
    let after: i64 = admin.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
    assert_eq!(after, everything, "{table}");
}

#[tokio::test]
async fn the_server_refuses_a_role_with_too_many_rights() {
    let place = Place::postgres().await;
    let Place::Postgres { cluster, database } = &place else { unreachable!() };
    let open = async |role: &str| Postgres::open(&cluster.url(role, database), 1).await.err();
    assert_eq!(open("postgres").await, Some(StoreError::Privileged("superuser")));
    assert_eq!(open(OWNER).await, Some(StoreError::Privileged("owner")));
    assert_eq!(open(SERVICE).await, None);
    let admin = cluster.connect("postgres", database).await;
    admin.batch_execute(&format!("ALTER ROLE {SERVICE} BYPASSRLS")).await.unwrap();
    assert_eq!(open(SERVICE).await, Some(StoreError::Privileged("bypassrls")));
    admin.batch_execute(&format!("ALTER ROLE {SERVICE} NOBYPASSRLS")).await.unwrap();
    // Making the schema again changes nothing; one of a newer program is refused.
    migrate(&cluster.url(OWNER, database), SERVICE).await.unwrap();
    admin.batch_execute("UPDATE refinery_schema_history SET version = version + 9999").await.unwrap();
    assert_eq!(open(SERVICE).await, Some(StoreError::Newer));
    admin.batch_execute("UPDATE refinery_schema_history SET version = version - 10000").await.unwrap();
    assert_eq!(open(SERVICE).await, Some(StoreError::Older));
}

#[tokio::test]
async fn the_way_to_another_host_is_protected_by_the_databases_certificate() {
    let (ours, certificate, key) = authority_with_certificate();
    let (theirs, _, _) = authority_with_certificate();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port_is = format!("port={port}");
    let tls =
        ["fsync=off", "listen_addresses=127.0.0.1", &port_is, "ssl=on", "ssl_cert_file=c", "ssl_key_file=k"];
    let cluster = Cluster::start_with(&tls, &[("c", certificate), ("k", key)]).await;
    cluster.make_database("aftercare", None).await;
    let folder = tempfile::tempdir().unwrap();
    let at = |role: &str, authority: &str| {
        format!(
            "postgres://{role}@localhost:{port}/aftercare?sslrootcert={}",
            folder.path().join(authority).display()
        )
    };
    std::fs::write(folder.path().join("ours.pem"), ours).unwrap();
    std::fs::write(folder.path().join("theirs.pem"), theirs).unwrap();
    migrate(&at(OWNER, "ours.pem"), SERVICE).await.unwrap();
    let store = Postgres::open(&at(SERVICE, "ours.pem"), 2).await.unwrap();
    store.ready().await.unwrap();
    let admin = cluster.connect("postgres", "aftercare").await;
    let sql =
        "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = $1";
    assert!(admin.query_one(sql, &[&SERVICE]).await.unwrap().get::<_, bool>(0));
    let stranger = Postgres::open(&at(SERVICE, "theirs.pem"), 2).await.err();
    assert_eq!(stranger, Some(StoreError::Unavailable("connection".into())));
    let missing = Postgres::open(&at(SERVICE, "none.pem"), 2).await.err();
    assert_eq!(missing, Some(StoreError::Unavailable("sslrootcert".into())));
}

/// An authority's certificate, and a certificate and key that it gave to `localhost`, as PEM.
fn authority_with_certificate() -> (String, String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let named = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = named.signed_by(&key, &issuer).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}
