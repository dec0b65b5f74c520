//! groundswell
pub mod app;
pub mod base;
pub mod collect;
pub mod decode;
pub mod enrich;
pub mod enroll;
pub mod fold;
pub mod judge;
pub mod notify;
pub mod serve;
pub mod store;
