#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::testing::Desk;

#[test]
fn every_query_prepares_against_the_schema() {
    let desk = Desk::new();
    let folder = format!("{}/src", env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for feature in std::fs::read_dir(folder).unwrap().flatten() {
        let Ok(files) = std::fs::read_dir(feature.path().join("sql")) else { continue };
        for file in files.flatten() {
            let sql = std::fs::read_to_string(file.path()).unwrap();
            desk.ctx()
                .read(|c| Ok(c.prepare(&sql).map(|_| ())?))
                .unwrap_or_else(|e| panic!("{:?}: {e}", file.path()));
            found += 1;
        }
    }
    assert!(found >= 10);
}
