//! Rule files: queries, expressions, brands, rules, and the plans the engine runs.

mod brand;
mod brands;
mod checks;
pub mod expr;
mod file;
mod filter;
pub mod guide;
pub mod keys;
mod lets;
pub mod lint;
pub mod plan;
pub mod query;
mod rules;
mod set;
mod template;
mod twins;

pub use brand::{Brand, Quantity};
pub use file::SourceText;
pub use filter::Filter;
pub use plan::{Dim, Plan, Slot};
pub use set::{Level, Rule, RuleSet, StoredRules};
pub use template::{Scene, Template, Top};
pub use twins::Twin;
