//! groundswell
pub mod base;
pub mod decode;
pub mod enrich;
pub mod enroll;
pub mod fold;
pub mod judge;
