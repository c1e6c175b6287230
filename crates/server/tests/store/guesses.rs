//! Who guesses is counted by all servers together.

use aftercare_server::store::Attempt;

use crate::desk::START;
use crate::places::Place;

#[tokio::test]
async fn two_servers_on_one_database_let_through_as_many_tries_as_one() {
    let place = Place::postgres().await;
    let servers = [place.open().await, place.open().await];
    let from = |address: &str| Attempt { kind: "code", address: address.into(), most: 20, each: 15_000 };
    for n in 0..20 {
        assert_eq!(servers[n % 2].take_attempt(from("10.0.0.9"), START).await, Ok(None));
    }
    for server in &servers {
        assert_eq!(server.take_attempt(from("10.0.0.9"), START).await, Ok(Some(15_000)));
        assert_eq!(server.take_attempt(from("10.0.0.10"), START).await, Ok(None), "another address");
    }
    let other = Attempt { kind: "password", ..from("10.0.0.9") };
    assert_eq!(servers[0].take_attempt(other, START).await, Ok(None), "another matter");
    // A clock that is set back gives nothing away; time that passes gives one try more.
    assert_eq!(servers[1].take_attempt(from("10.0.0.9"), START - 60_000).await, Ok(Some(15_000)));
    assert_eq!(servers[0].take_attempt(from("10.0.0.9"), START + 15_000).await, Ok(None));
    assert_eq!(servers[1].take_attempt(from("10.0.0.9"), START + 15_001).await, Ok(Some(15_000)));
}

#[tokio::test]
async fn tries_at_the_same_moment_are_all_counted() {
    for place in [Place::sqlite(), Place::postgres().await] {
        let server = place.open().await;
        let tries: Vec<_> = (0..30)
            .map(|_| {
                let server = std::sync::Arc::clone(&server);
                let attempt = Attempt { kind: "code", address: "x".into(), most: 20, each: 15_000 };
                tokio::spawn(async move { server.take_attempt(attempt, START).await.unwrap() })
            })
            .collect();
        let mut through = 0;
        for each in tries {
            through += usize::from(each.await.unwrap().is_none());
        }
        assert_eq!(through, 20);
    }
}
