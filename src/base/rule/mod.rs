//! Rule files: queries, expressions, brands, rules, and the plans the engine runs.

pub mod expr;
mod file;
pub mod plan;
pub mod query;
mod rules;
mod set;

pub use file::SourceText;
pub use plan::{Dim, Plan};
pub use set::{Brand, Level, Rule, RuleSet};
