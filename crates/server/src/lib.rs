//! The central server: many desks become one hospital, several hospitals one service.

pub mod app;
pub mod args;
pub mod asked;
pub mod authority;
pub mod backup;
pub mod commands;
pub mod failure;
pub mod leave;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod office;
pub mod password;
pub mod problem;
pub mod routes;
pub mod serve;
pub mod service;
pub mod session;
pub mod signed;
pub mod staff;
pub mod start;
pub mod stick;
pub mod store;
pub mod token;
pub mod updates;
pub mod words;
