use crate::testing::Desk;

/// Every query of this feature, so that none is wrong before its hour.
#[test]
fn every_query_fits_the_schema() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/archive/sql");
    let desk = Desk::new();
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        desk.ctx()
            .read(|c| Ok(c.prepare(&sql).map(|_| ())?))
            .unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        seen += 1;
    }
    assert!(seen > 15);
}
