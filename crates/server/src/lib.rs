//! The central server: many desks become one hospital, several hospitals one service.

pub mod store;
