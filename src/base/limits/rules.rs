//! Limits of rules, their tests, and what is told of mistakes in them.

use crate::base::time::Span;

/// Quantities that one rule gives names to.
pub const NAMED_QUANTITIES: usize = 16;
/// Hashtags of one post that are looked at.
pub const TAGS_SEEN: usize = 16;
/// Longest hashtag that is looked at, in bytes.
pub const TAG_BYTES: usize = 128;
/// Hashtags that one key remembers, to tell new ones; beyond, the least recent leave.
pub const TERMS_PER_KEY: usize = 1 << 14;
/// Sequences (`then`) of one key that wait for their second part; beyond, the least recent leave.
pub const SEQUENCES_PER_KEY: usize = 1 << 12;
/// Mistakes, and warnings, shown of one set of files.
pub const FAULTS: usize = 200;
/// Warnings of one kind shown of one set of files.
pub const WARNINGS_OF_A_KIND: usize = 30;
/// Steps taken to find what only looks wrong in one set of files.
pub const LINT_WORK: usize = 30_000_000;
/// Measures and numbers that names of `let` put into the expressions of one rule.
pub const NAMED_VALUES: usize = 2000;
/// Measures and numbers that names of `let` put into all expressions of one set of rules.
pub const NAMED_VALUES_OF_ALL: usize = 500_000;
/// Characters shown of a line that holds a mistake.
pub const EXCERPT_CHARS: usize = 120;
/// Files with tests of rules that are run at once.
pub const TEST_FILES: usize = 1000;
/// Tests in one such file.
pub const TESTS: usize = 1000;
/// Events or expectations of one test; texts, links or names in one list there.
pub const TEST_ITEMS: usize = 1000;
/// Posts invented in one test.
pub const TEST_POSTS: u64 = 2_000_000;
/// Longest time that a test spans.
pub const TEST_SPAN: Span = Span::seconds(400 * 86_400);
/// Moments of a failed test at which it is looked how far a rule was from firing.
pub const TEST_LOOKS: usize = 120;
/// Characters of a message that a failed test shows.
pub const TEST_SHOWN: usize = 300;
