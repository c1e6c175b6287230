#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::op::{ChangeKind, FieldValue, Op};
use rusqlite::Connection;

use super::{ALL, NOTE, PATIENT, verify};
use crate::testing::Desk;

fn ops(connection: &Connection) -> Vec<Op> {
    let mut statement = connection.prepare("SELECT bytes FROM op ORDER BY dseq").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    rows.map(|bytes| ciborium::from_reader(bytes.unwrap().as_slice()).unwrap()).collect()
}

fn site(connection: &Connection) -> Vec<u8> {
    connection.query_row("SELECT site_id FROM desk", [], |row| row.get(0)).unwrap()
}

fn add_patient(desk: &Desk, name: &str) -> uuid::Uuid {
    let ctx = desk.ctx();
    let id = ctx.new_id();
    ctx.write(|w| {
        let site = FieldValue::Bytes(site(w.connection()));
        w.create(&PATIENT, id, &[("name", name.into()), ("mrn", FieldValue::Null), ("site_id", site)])
    })
    .unwrap();
    id
}

#[test]
fn a_new_record_leaves_one_op_with_its_own_id_and_no_nulls() {
    let desk = Desk::new();
    let id = add_patient(&desk, "甲");
    let ops = desk.ctx().read(|c| Ok(ops(c))).unwrap();
    let op = ops.last().unwrap();
    assert_eq!((op.op_id, op.id, op.entity.as_str(), op.kind), (id, id, "patient", ChangeKind::Fields));
    assert_eq!(op.fields.get("name"), Some(&FieldValue::Text("甲".into())));
    assert!(!op.fields.contains_key("mrn"), "a new record's nulls say nothing");
    assert!(op.base.is_empty());
    assert_eq!(op.dseq, ops.len() as i64, "numbers are dense from 1");
}

#[test]
fn an_update_records_only_what_changed_and_the_op_it_overwrote() {
    let desk = Desk::new();
    let id = add_patient(&desk, "甲");
    let ctx = desk.ctx();
    let set = |fields: &[(&'static str, FieldValue)]| ctx.write(|w| w.update(&PATIENT, id, fields)).unwrap();

    let changed = set(&[("name", "甲".into()), ("address", "东街 1 号".into())]);
    assert_eq!(changed.iter().map(|c| c.field).collect::<Vec<_>>(), ["address"]);
    set(&[("address", "西街 2 号".into())]);
    assert!(set(&[("address", "西街 2 号".into())]).is_empty(), "the same value leaves no op");

    let ops = ctx.read(|c| Ok(ops(c))).unwrap();
    let [.., created, first, second] = ops.as_slice() else { panic!("three ops") };
    assert_eq!(first.base.get("address"), Some(&created.op_id));
    assert_eq!(second.base.get("address"), Some(&first.op_id));
    assert!(first.hlc > created.hlc && second.hlc > first.hlc);
}

#[test]
fn a_fact_cannot_be_changed_and_a_failed_write_leaves_nothing() {
    let desk = Desk::new();
    let ctx = desk.ctx();
    let id = ctx.new_id();
    let before = ctx.read(|c| Ok(ops(c).len())).unwrap();
    let result = ctx.write(|w| {
        let note = [
            ("patient_id", id.into()),
            ("kind", "note".into()),
            ("body", "x".into()),
            ("noted_at", 0_i64.into()),
            ("user_id", id.into()),
        ];
        w.create(&NOTE, id, &note)?;
        w.update(&NOTE, id, &[("body", "y".into())])
    });
    assert!(result.is_err());
    assert_eq!(ctx.read(|c| Ok(ops(c).len())).unwrap(), before);
}

#[test]
fn nothing_but_the_change_log_can_write_a_synced_table() {
    let desk = Desk::new();
    let id = add_patient(&desk, "甲");
    let ctx = desk.ctx();
    // The change log has prepared its own statements by now; that opens no door for others.
    ctx.write(|w| w.update(&PATIENT, id, &[("address", "东街".into())])).unwrap();
    for entity in ALL {
        for sql in [format!("DELETE FROM {}", entity.table), format!("UPDATE {} SET id = id", entity.table)] {
            let result = ctx.db().write(|c, _| Ok(c.execute(&sql, [])?));
            assert!(result.is_err(), "{sql} must be refused");
        }
    }
}

#[test]
fn every_entity_has_its_columns_and_every_column_is_an_entity_field() {
    let desk = Desk::new();
    let local = ["id", "num"];
    desk.ctx()
        .read(|c| {
            for entity in ALL {
                let mut statement =
                    c.prepare(&format!("SELECT name FROM pragma_table_info('{}')", entity.table))?;
                let columns: Vec<String> =
                    statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                let mut fields: Vec<&str> = entity.fields.iter().chain(entity.commanded).copied().collect();
                let mut stored: Vec<&str> =
                    columns.iter().map(String::as_str).filter(|name| !local.contains(name)).collect();
                fields.sort_unstable();
                stored.sort_unstable();
                assert_eq!(fields, stored, "{}", entity.table);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_clock_set_back_does_not_turn_the_log_back() {
    let desk = Desk::new();
    add_patient(&desk, "甲");
    desk.wait(chrono::Duration::days(-3650));
    add_patient(&desk, "乙");
    let ops = desk.ctx().read(|c| Ok(ops(c))).unwrap();
    assert!(ops.windows(2).all(|pair| pair[0].hlc < pair[1].hlc));
    desk.ctx().read(verify).unwrap();
}

#[test]
fn a_changed_byte_in_the_log_is_found() {
    let desk = Desk::new();
    add_patient(&desk, "甲");
    let dseq = desk.ctx().read(|c| Ok(verify(c)?.records)).unwrap();
    desk.ctx()
        .db()
        .write(|c, _| Ok(c.execute("UPDATE op SET bytes = x'00' WHERE dseq = ?1", [dseq])?))
        .unwrap();
    let error = desk.ctx().read(verify).unwrap_err();
    assert_eq!(error.code.as_str(), "change_log_broken");
    assert_eq!(error.params["dseq"], dseq);
}

#[test]
fn what_a_column_holds_by_itself_is_what_the_shared_list_says() {
    use aftercare_sync::entities::Default;
    let desk = Desk::new();
    desk.ctx()
        .read(|c| {
            for entity in ALL {
                let sql = "SELECT name, dflt_value FROM pragma_table_info(?1) WHERE dflt_value IS NOT NULL";
                let mut statement = c.prepare(sql)?;
                let mut stored: Vec<(String, String)> = statement
                    .query_map([entity.table], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<Result<_, _>>()?;
                let mut said: Vec<(String, String)> = entity
                    .defaults
                    .iter()
                    .map(|(field, default)| {
                        let text = match default {
                            Default::Integer(value) => value.to_string(),
                            Default::Text(text) => format!("'{text}'"),
                        };
                        ((*field).to_owned(), text)
                    })
                    .collect();
                stored.sort();
                said.sort();
                assert_eq!(said, stored, "{}", entity.table);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_setting_has_one_id_everywhere_and_its_value_a_clock_from_the_start() {
    let (alice, bob) = (Desk::new(), Desk::new());
    let of = |desk: &Desk| {
        let mut settings = desk.call("settings_get", serde_json::json!({}));
        settings["hospital_phone"] = serde_json::json!("0755-1234567");
        desk.call("settings_save", settings);
        let sql = "SELECT setting.id, seq FROM setting JOIN field_clock ON record_id = id AND field = 'value'
                   WHERE name = 'hospital_phone'";
        let found = |c: &Connection| {
            Ok(c.query_row(sql, [], |row| Ok((row.get::<_, uuid::Uuid>(0)?, row.get::<_, i64>(1)?)))?)
        };
        desk.ctx().read(found).unwrap()
    };
    let (hers, his) = (of(&alice), of(&bob));
    assert_eq!(hers.0, his.0);
    assert_eq!((hers.1, his.1), (i64::MAX, i64::MAX), "not numbered by a server yet");
}
