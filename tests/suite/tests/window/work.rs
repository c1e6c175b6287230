//! The main job, walked through in the real window: an extract comes in, and there is somebody to call.

use aftercare_suite::demo::{moved_to, sample};
use chrono::{FixedOffset, Utc};
use serde_json::json;

use crate::{PASSWORD, at, log_in, open, set_up};

#[tokio::test]
async fn an_extract_becomes_a_list_of_patients_to_call() {
    let folder = tempfile::tempdir().unwrap();
    let today =
        FixedOffset::east_opt(8 * 3600).map(|china| Utc::now().with_timezone(&china).date_naive()).unwrap();
    let extract = folder.path().join("出院患者.csv");
    std::fs::write(&extract, moved_to(&sample().unwrap(), today).unwrap()).unwrap();

    let window = open(&folder.path().join("home")).await;
    set_up(&window).await;
    window.find(&format!("{}, {}", at("shell"), at("login"))).await.unwrap();
    if window.script("return !!document.querySelector('[data-test=login]')", vec![]).await.unwrap() == true {
        log_in(&window, PASSWORD).await;
    }
    window.find(&at("shell")).await.unwrap();

    window.go("#/imports").await.unwrap();
    window.answer_dialog(&extract).unwrap();
    window.click(&at("pick")).await.unwrap();
    window.click(&at("import")).await.unwrap();
    // The batch's own page follows.
    assert!(window.text(&at("outcome-created")).await.unwrap().contains("120"));

    window.go("#/followup").await.unwrap();
    let first = format!("{} [data-patient]", at("queue"));
    window.find(&first).await.unwrap();
    let shown = "const row = document.querySelector('[data-patient]');
        return [row.dataset.patient, row.querySelector('.name').textContent]";
    let shown = window.script(shown, vec![]).await.unwrap();
    let (patient, name) = (shown[0].as_str().unwrap(), shown[1].as_str().unwrap());
    window.click(&first).await.unwrap();
    window.find(&at("call")).await.unwrap();
    let pane = window.text(&at("patient-pane")).await.unwrap();
    assert!(pane.contains(name), "the opened patient is the one that was chosen");
    // What was being typed outlives the lock and a power cut.
    let remark = "家属说晚上再打 㛃";
    window.fill(&at("remark"), remark).await.unwrap();
    window.click(&at("lock")).await.unwrap();
    window.find(&at("lock-screen")).await.unwrap();
    window.kill();

    let window = open(&folder.path().join("home")).await;
    log_in(&window, PASSWORD).await;
    window.find(&at("shell")).await.unwrap();
    window.go("#/followup").await.unwrap();
    let again = format!("{} [data-patient='{patient}']", at("queue"));
    window.click(&again).await.unwrap();
    window.find(&at("restored")).await.unwrap();
    let typed =
        window.script(&format!("return document.querySelector(\"{}\").value", at("remark")), vec![]).await;
    assert_eq!(typed.unwrap(), json!(remark));
    window.close().await.unwrap();
}
