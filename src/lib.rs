//! groundswell
pub mod base;
