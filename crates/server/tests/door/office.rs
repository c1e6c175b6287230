//! The administrators' page.

use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::PasswordRequest;
use uuid::Uuid;

use crate::support::{self, Server, ask, hospital};

#[test]
fn an_administrator_works_from_the_page_once_the_password_is_theirs() {
    let server = Server::start();
    let story = hospital(&server, &[]);
    let password = server.first_words.split(": ").last().unwrap().trim().to_owned();
    let call = |method: &str, path: &str, cookie: &str, body: &str| {
        let mut headers =
            vec![("content-type", "application/json".to_owned()), ("aftercare-office", "1".to_owned())];
        headers.push(("cookie", cookie.to_owned()));
        ask(server.address, &server.authority(), method, path, &headers, body.as_bytes()).unwrap()
    };
    let html = ask(server.address, &server.authority(), "GET", "/", &[], b"").unwrap();
    assert!(html.headers["content-security-policy"].starts_with("default-src 'none'"));
    for file in ["/page.js", "/page.css", "/tokens.css", "/words/en", "/words/zh-CN"] {
        assert_eq!(ask(server.address, &server.authority(), "GET", file, &[], b"").unwrap().status, 200);
    }
    assert_eq!(call("GET", "/office/hospitals", "", "").problem().code, "token");

    let enter = format!(r#"{{"login":"admin","password":"{password}"}}"#);
    let wrong = call("POST", "/office/sign-in", "", r#"{"login":"admin","password":"guess"}"#);
    assert_eq!(wrong.problem().code, "login");
    let cookie_of =
        |reply: &support::Reply| reply.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let entered = call("POST", "/office/sign-in", "", &enter);
    assert!(entered.headers["set-cookie"].contains("HttpOnly; Secure; SameSite=Strict"));
    let cookie = cookie_of(&entered);
    assert_eq!(call("GET", "/office/hospitals", &cookie, "").problem().code, "forbidden");
    let change = format!(r#"{{"old":"{password}","new":"my own password"}}"#);
    let changed = call("POST", "/office/password", &cookie, &change);
    let fresh = cookie_of(&changed);
    assert_eq!(call("GET", "/office/me", &cookie, "").problem().code, "token", "the old session is over");

    let hospitals: serde_json::Value = call("GET", "/office/hospitals", &fresh, "").json();
    let tenant = story.desk.tenant.to_string();
    assert_eq!(hospitals["hospitals"][0]["id"], tenant.as_str());
    assert_eq!(hospitals["hospitals"][0]["records"], 3);
    let made: serde_json::Value =
        call("POST", &format!("/office/hospitals/{tenant}/codes"), &fresh, r#"{"sites":[],"history":false}"#)
            .json();
    assert!(EnrolCode::parse(made["code"].as_str().unwrap()).unwrap().fits(&server.authority()));
    let revoke = format!("/office/hospitals/{tenant}/devices/{}", story.desk.id);
    // Another site's form has the cookie at most, never the mark.
    let forged = [("cookie", fresh.clone()), ("content-type", "application/json".to_owned())];
    let body = br#"{"status":"revoked"}"#;
    let reply = ask(server.address, &server.authority(), "POST", &revoke, &forged, body).unwrap();
    assert_eq!(reply.problem().code, "forbidden");
    assert_eq!(call("POST", &revoke, &fresh, r#"{"status":"revoked"}"#).status, 204);
    let mut desk = story.desk;
    assert_eq!(desk.sync().unwrap_err().problem().code, "device_revoked");
    for path in ["devices", "sites", "users", "waiting", "audit"] {
        assert_eq!(
            call("GET", &format!("/office/hospitals/{tenant}/{path}"), &fresh, "").status,
            200,
            "{path}"
        );
    }
    assert_eq!(call("POST", "/office/sign-out", &fresh, "").status, 204);
}

#[test]
fn a_hospitals_administrator_is_appointed_and_sees_one_hospital() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let boss = Uuid::now_v7();
    let person =
        [("login", "ida".into()), ("display_name", "Ida".into()), ("roles", r#"["administrator"]"#.into())];
    story.desk.make("staff", boss, boss, &person);
    // The desk's word alone does not count here: its author is unknown. Enrolled history does.
    story.desk.sync().unwrap();
    let first =
        PasswordRequest { user: story.boss, login: "sam".into(), old: None, new: "sam's own word".into() };
    assert_eq!(story.desk.signed_json("PUT", "/v1/passwords", &first).status, 204);
    let rogue = PasswordRequest { user: boss, login: "ida".into(), old: None, new: "taken over".into() };
    assert_eq!(story.desk.signed_json("PUT", "/v1/passwords", &rogue).problem().code, "forbidden");
    server.command(&["tenants", "add", "north", "北院"]).unwrap();
    let north = server.command(&["tenants", "list"]).unwrap();
    let north = north.as_array().unwrap().iter().find(|each| each["word"] == "north").unwrap()["id"].clone();
    let call = |method: &str, path: &str, cookie: &str, body: &str| {
        let headers = [("aftercare-office", "1".to_owned()), ("cookie", cookie.to_owned())];
        ask(server.address, &server.authority(), method, path, &headers, body.as_bytes()).unwrap()
    };
    let enter = r#"{"hospital":"main","login":"sam","password":"sam's own word"}"#;
    assert_eq!(call("POST", "/office/sign-in", "", enter).problem().code, "forbidden");
    server.command(&["users", "appoint", "sam", "--hospital-word", "main"]).unwrap();
    let entered = call("POST", "/office/sign-in", "", enter);
    let cookie = entered.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let seen: serde_json::Value = call("GET", "/office/hospitals", &cookie, "").json();
    assert_eq!(seen["hospitals"].as_array().unwrap().len(), 1);
    let north = north.as_str().unwrap();
    let nobody = Uuid::nil();
    for path in [
        format!("{north}/devices"),
        format!("{north}/users"),
        format!("{north}/sites"),
        format!("{north}/waiting"),
        format!("{north}/audit"),
        format!("{nobody}/users"),
        format!("{nobody}/audit"),
    ] {
        let reply = call("GET", &format!("/office/hospitals/{path}"), &cookie, "");
        assert_eq!(reply.problem().code, "not_found", "{path}");
    }
    let code = call("POST", &format!("/office/hospitals/{north}/codes"), &cookie, "{}");
    assert_eq!(code.problem().code, "not_found");
    for (path, body) in [
        ("/office/hospitals".to_owned(), r#"{"word":"x","name":"y"}"#),
        (format!("/office/hospitals/{north}/state"), r#"{"closed":true}"#),
        (format!("/office/hospitals/{nobody}/users"), r#"{"login":"x","name":"y"}"#),
    ] {
        assert_eq!(call("POST", &path, &cookie, body).problem().code, "forbidden", "{path}");
    }
    assert_eq!(call("POST", "/office/sign-in", "", "no json").problem().code, "garbled");
    assert_eq!(call("GET", "/office/hospitals/no-id/devices", &cookie, "").problem().code, "not_found");
    assert_eq!(call("DELETE", "/v1/sync", "", "").problem().code, "not_found");
}
