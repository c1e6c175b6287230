//! The central server: many desks become one hospital, several hospitals one service.

pub mod app;
pub mod authority;
pub mod limits;
pub mod metrics;
pub mod password;
pub mod problem;
pub mod routes;
pub mod serve;
pub mod signed;
pub mod staff;
pub mod store;
pub mod token;
