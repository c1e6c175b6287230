//! First run, log-in, lock, recovery.

use crate::{LOGIN, PASSWORD, at, log_in, open, set_up};

#[tokio::test]
async fn a_hospital_is_set_up_locked_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let window = open(folder.path()).await;
    assert!(window.title().await.unwrap().contains("随访台"));
    set_up(&window).await;
    window.find(&format!("{}, {}", at("shell"), at("login"))).await.unwrap();
    if window.script("return !!document.querySelector('[data-test=login]')", vec![]).await.unwrap() == true {
        log_in(&window, PASSWORD).await;
    }
    window.says("张𠮷祥").await.unwrap();
    window.click(&at("lock")).await.unwrap();
    window.find(&at("lock-screen")).await.unwrap();
    log_in(&window, "not the password").await;
    window.find("[role='alert']").await.unwrap();
    log_in(&window, PASSWORD).await;
    window.find(&at("shell")).await.unwrap();
    window.close().await.unwrap();

    // The hospital is still there the next morning, and shut.
    let window = open(folder.path()).await;
    window.says("青山县人民医院").await.unwrap();
    log_in(&window, PASSWORD).await;
    window.find(&at("shell")).await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn the_recovery_code_gives_a_new_password() {
    let folder = tempfile::tempdir().unwrap();
    let window = open(folder.path()).await;
    let code = set_up(&window).await;
    window.find(&format!("{}, {}", at("shell"), at("login"))).await.unwrap();
    window.kill();

    let window = open(folder.path()).await;
    window.click(&at("recover")).await.unwrap();
    window.fill(&at("recovery-code"), &code.to_lowercase().replace('-', " ")).await.unwrap();
    window.fill(&format!("{} [autocomplete='username']", at("recover-form")), LOGIN).await.unwrap();
    window.fill(&at("new_password"), "another long horse 7").await.unwrap();
    window.click(&format!("{} [type='submit']", at("recover-form"))).await.unwrap();
    window.find(&at("shell")).await.unwrap();
    window.close().await.unwrap();
}
