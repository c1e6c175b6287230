//! What the window itself must and must not do.

use std::process::Command;

use aftercare_suite::programs::built;
use serde_json::json;

use crate::open;

#[tokio::test]
async fn the_page_reaches_nothing_but_its_own_commands() {
    let folder = tempfile::tempdir().unwrap();
    let window = open(folder.path()).await;
    let page = window.script("return location.href", vec![]).await.unwrap();

    assert_eq!(window.script("return typeof window.__TAURI__", vec![]).await.unwrap(), json!("undefined"));
    // Another page is never loaded, in this window or a new one.
    window.script("location.href = 'https://example.invalid/'", vec![]).await.unwrap();
    window.script("window.open('https://example.invalid/')", vec![]).await.unwrap();
    let fetched =
        "const done = arguments[0]; return fetch('https://example.invalid/').then(() => 'in', () => 'out')";
    assert_eq!(window.script(fetched, vec![json!(0)]).await.unwrap(), json!("out"));
    window.ready().await.unwrap();
    assert_eq!(window.script("return location.href", vec![]).await.unwrap(), page);

    // Inline script does not run: the content policy holds.
    let inline = "const s = document.createElement('script'); s.textContent = 'window.ran = 1';
        document.head.append(s); return window.ran ?? null";
    assert_eq!(window.script(inline, vec![]).await.unwrap(), json!(null));
    for command in ["plugin:shell|execute", "plugin:fs|read_file", "plugin:event|emit", "plugin:window|close"]
    {
        let refused = "return window.__TAURI_INTERNALS__.invoke(arguments[0], {}).then(() => 'allowed', () => 'refused')";
        assert_eq!(
            window.script(refused, vec![json!(command)]).await.unwrap(),
            json!("refused"),
            "{command}"
        );
    }
    window.close().await.unwrap();
}

#[tokio::test]
async fn commands_dialogs_and_dialling_go_through_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let window = open(folder.path()).await;
    let invoke = "return window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1]).then(
        (answer) => ({ answer }), (refused) => ({ refused }))";
    let call = async |command: &str, arguments| {
        window.script(invoke, vec![json!(command), arguments]).await.unwrap()
    };

    let status = call("rpc", json!({ "name": "session_status", "request": {} })).await;
    assert_eq!(status["answer"]["state"], "setup");
    let unknown = call("rpc", json!({ "name": "no_such_command", "request": {} })).await;
    assert_eq!(unknown["refused"]["code"], "unknown_command");
    let before_login = call("rpc", json!({ "name": "staff_list", "request": {} })).await;
    assert_eq!(before_login["refused"]["code"], "signed_out");

    window.answer_dialog(&folder.path().join("出院患者.csv")).unwrap();
    let picked = call("pick_file", json!({ "options": { "filters": [] } })).await;
    assert!(picked["answer"].as_str().unwrap().ends_with("出院患者.csv"));

    call("open_dial", json!({ "url": "tel:13800000000" })).await;
    let refused = call("open_dial", json!({ "url": "file:///etc/passwd" })).await;
    assert_eq!(refused["refused"]["code"], "dial_address");
    assert_eq!(window.dialled(), ["tel:13800000000"]);
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_second_start_on_the_same_data_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let window = open(folder.path()).await;
    let mut second = Command::new(built("aftercare").unwrap());
    let second = second.arg("--home").arg(folder.path()).output().unwrap();
    assert!(second.status.success());
    assert!(!second.stderr.is_empty(), "it says why there is no second window");
    window.ready().await.unwrap();
    window.close().await.unwrap();
}
