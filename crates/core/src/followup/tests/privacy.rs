use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{Ward, high_pressure};

/// Collects what would go to the log file.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn neither_name_nor_number_nor_answer_reaches_the_log_or_the_audit_trail() {
    const NAME: &str = "金丝雀";
    const SAID: &str = "CANARY-胸口疼得厉害";
    let sink = Sink::default();
    let to_sink = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || to_sink.clone())
        .finish();
    let ward = Ward::new();
    tracing::subscriber::with_default(subscriber, || {
        let someone = ward.hypertension(NAME, "2026-11-09");
        ward.desk.refused("followup_dial", json!({ "patient_id": someone.id, "phone_id": "13800138000" }));
        let opened = ward.open(someone.id);
        let wrong = json!({ "general": { "type": "text", "value": SAID } });
        let request = ward.save_request(&someone, &opened, json!({ "answers": wrong, "remark": SAID }));
        ward.desk.refused("followup_save_call", request);
        let mut given = high_pressure();
        given["general"] = json!({ "type": "single", "value": "new" });
        given["general_desc"] = json!({ "type": "text", "value": SAID });
        let saved = ward.complete(&someone, given);
        let note = json!({ "alert_id": saved["alerts"][0]["id"], "note": SAID });
        ward.desk.call("followup_alert_note", note);
    });
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("command refused"), "the log was listened to");
    let trail = ward.text("SELECT group_concat(action || detail) FROM audit");
    for secret in [NAME, SAID, "CANARY", "13800138000", "138****8000"] {
        assert!(!log.contains(secret), "the log names {secret}");
        assert!(!trail.contains(secret), "the audit trail names {secret}");
    }
    assert!(log.is_ascii() || !log.contains('金'));
}
