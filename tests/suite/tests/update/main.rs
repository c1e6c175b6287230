//! From one version to the next with real programs: a window, a server, packages and dpkg. Two versions of the desk
//! are needed: `cargo xtask installer check --update` builds them and runs this.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod pc;

use aftercare_suite::desk_file;
use pc::{LATER, Pc, running};

/// The maker's notes, which the page shows.
const NOTES: &str = "更快";

#[tokio::test]
async fn a_later_version_comes_over_a_broken_line_and_is_installed_when_the_window_closes() {
    let pc = Pc::set_up();
    let window = pc.open().await;
    // Nothing is new, and from here on the desk looks only when it is told to.
    pc.look(&window).await;
    window.find("[data-test='updates-state'][data-state='none']").await.unwrap();

    // Somebody who broke into the server offers a version of their own.
    pc.offer("98.0.0", &pc.stranger());
    pc.look(&window).await;
    window.find("[role='alert']").await.unwrap();
    assert_eq!(pc.state()["problem"], "update_signature");
    assert!(pc.state()["ready"].is_null());

    // The maker's own comes as far as the line holds, and the next time the rest of it.
    pc.offer(LATER, &pc.maker());
    pc.line.hold_for(8 << 20);
    pc.look(&window).await;
    window.find("[role='alert']").await.unwrap();
    let came = std::fs::metadata(pc.part()).unwrap().len();
    assert!(came > 0 && pc.state()["ready"].is_null());
    pc.line.mend();
    let before = pc.line.carried();
    pc.look(&window).await;
    window.find("[data-test='updates-state'][data-state='ready']").await.unwrap();
    window.says(LATER).await.unwrap();
    window.says(NOTES).await.unwrap();
    let whole = std::fs::metadata(pc.package(LATER)).unwrap().len();
    let fetched = pc.line.carried() - before;
    assert!(fetched < whole - came + whole / 10, "{fetched} of {whole} bytes, {came} were there already");
    assert_eq!(pc.version(), pc.older(), "nothing is installed while the window is open");

    pc.close(window);
    assert_eq!(pc.version(), LATER);
    for kept in ["before/aftercare.db", "before/keys.json", "previous/aftercare"] {
        assert!(pc.home().join("updates").join(kept).is_file(), "{kept}");
    }

    // The later version brings the data up to itself and works with them.
    let window = pc.open().await;
    window.go("#/settings/updates").await.unwrap();
    window.says(LATER).await.unwrap();
    assert_eq!(pc.state()["under_way"], serde_json::Value::Null);
    window.close().await.unwrap();
    assert!(pc.finds("王"), "the patients are there");
    assert_eq!(pc.older_refuses().as_deref(), Some("database_newer"));
    assert!(pc.finds("王"), "and a refused older program changes nothing");
}

#[tokio::test]
async fn a_later_version_that_cannot_open_the_data_goes_back_to_the_one_before() {
    let pc = Pc::set_up();
    // What the later version wants to make is there already: its migration fails.
    desk_file::change(&pc.home(), &pc.recovery, "CREATE TABLE later (id INTEGER)").unwrap();
    pc.offer(LATER, &pc.maker());
    let window = pc.open().await;
    pc.look(&window).await;
    window.find("[data-test='updates-state'][data-state='ready']").await.unwrap();
    pc.close(window);
    assert_eq!(pc.version(), LATER);

    let window = pc.shut().await;
    pc.log_in(&window).await;
    window.find("[role='alert']").await.unwrap();
    assert_eq!(pc.state()["gone_back"], LATER);
    assert!(pc.home().join("updates/failed/aftercare.db").is_file());
    window.kill();

    // At the next start the later program hands over to the one that was kept.
    let kept = pc.home().join("updates/previous/aftercare");
    let mut started = pc.start().spawn().unwrap();
    let old = pc.becomes(|| running(&kept));
    assert!(started.wait().unwrap().success());
    pc.becomes(|| pc.log().contains(&format!("version=\"{}\"", pc.older())).then_some(()));
    aftercare_suite::headless::signal(old, "KILL").unwrap();
    pc.becomes(|| running(&kept).is_none().then_some(()));

    let window = pc.open_program(&kept).await;
    pc.look(&window).await;
    window.find("[data-test='updates-state'][data-state='none']").await.unwrap();
    window.says(LATER).await.unwrap();
    window.close().await.unwrap();
    assert!(pc.finds_with_older("王"), "the patients are there");
    assert_eq!(
        pc.version(),
        LATER,
        "what cannot open the data is not installed once more, nor anything else"
    );
}
