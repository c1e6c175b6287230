//! Reads hostile tables (CSV, Excel, DBF, HTML) as a bounded stream of rows.
