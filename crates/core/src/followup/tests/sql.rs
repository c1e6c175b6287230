use super::Ward;

#[test]
fn every_statement_of_the_feature_fits_the_schema() {
    let ward = Ward::new();
    let files = [
        include_str!("../sql/worklist_page.sql"),
        include_str!("../sql/worklist_on_day.sql"),
        include_str!("../sql/patient_card.sql"),
    ];
    ward.desk.ctx().read(|c| Ok(files.map(|sql| c.prepare(sql).map(|_| ()).unwrap()))).unwrap();
}

#[test]
fn a_page_of_the_list_walks_one_index_and_sorts_nothing() {
    let ward = Ward::new();
    let plan: Vec<String> = ward
        .desk
        .ctx()
        .read(|c| {
            let sql = format!("EXPLAIN QUERY PLAN {}", include_str!("../sql/worklist_page.sql"));
            let mut statement = c.prepare(&sql)?;
            let rows =
                statement.query_map(rusqlite::params!["*", 0, 0, i64::MAX, 0, 50], |row| row.get(3))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert!(plan[0].contains("USING PRIMARY KEY"), "{plan:?}");
}
