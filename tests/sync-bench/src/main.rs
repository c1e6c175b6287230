//! `sync-bench`: what syncing costs beside the bare work. Real desks and a real server on loopback, each a
//! process of its own, which this program starts as itself again. Prints a figure a line, as every benchmark does.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bare;
mod central;
mod child;
mod first;
mod history;
mod line;
mod load;
mod offline;
mod pouchdb;
// The throw-away PostgreSQL of the server's own tests.
#[path = "../../../crates/server/tests/store/postgres.rs"]
mod postgres;
mod proxy;

use aftercare_bench::measure;

fn main() {
    if let Some(task) = measure::child_task() {
        return child::run(&task);
    }
    first::measure();
    load::measure();
    offline::measure();
    pouchdb::measure();
}
