use super::Office;
use crate::complaints::list::{DUE, UNANSWERED};

#[test]
fn every_statement_of_the_feature_fits_the_schema() {
    let office = Office::new();
    let files = [
        include_str!("../sql/departments.sql"),
        include_str!("../sql/figures.sql"),
        include_str!("../sql/figures_categories.sql"),
        include_str!("../sql/figures_departments.sql"),
        include_str!("../sql/last_stay.sql"),
        include_str!("../sql/parts.sql"),
        include_str!("../sql/signals.sql"),
        include_str!("../sql/steps.sql"),
    ];
    office.desk.ctx().read(|c| Ok(files.map(|sql| c.prepare(sql).map(|_| ()).unwrap()))).unwrap();
}

#[test]
fn lists_walk_an_index() {
    let office = Office::new();
    let plan = |sql: &str| -> String {
        office
            .desk
            .ctx()
            .read(|c| {
                let mut statement = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let rows = statement.query_map([], |row| row.get::<_, String>("detail"))?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.join(" / "))
            })
            .unwrap()
    };
    let newest = plan("SELECT id FROM complaint WHERE 1 ORDER BY received_at DESC, id DESC LIMIT 50");
    assert!(newest.contains("complaint_by_received") && !newest.contains("TEMP"), "{newest}");
    let due = plan(&format!(
        "SELECT id FROM {DUE} WHERE due_on IS NOT NULL AND status IN {UNANSWERED} ORDER BY due_on, id LIMIT 50"
    ));
    assert!(due.contains("complaint_by_due") && !due.contains("TEMP"), "{due}");
}
