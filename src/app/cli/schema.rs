//! `schema`: a JSON Schema of the files people write, for editors.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::output::{is_closed, tell_error};
use super::{FAILED, FINE};
use crate::app::config::{keys::CONFIG, schema};
use crate::app::testing::keys::TESTS;
use crate::base::rule::keys::FILE;

/// Print a JSON Schema (2020-12) of the config, of rule files or of their tests, for editors
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell schema > groundswell.schema.json\n  groundswell schema rules > rules.schema.json\n  \
                        groundswell schema tests > tests.schema.json\n\n\
                        In VS Code with the YAML extension begin a file with\n  \
                        # yaml-language-server: $schema=groundswell.schema.json\n\n\
                        The schema knows keys and forms of values; `groundswell check` also knows what queries and \
                        conditions mean."
)]
pub(super) struct Schema {
    /// Which file
    #[arg(value_enum, default_value = "config")]
    of: Of,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// groundswell.yaml
    Config,
    /// Rule files: brands, groups, lists, variables and rules
    Rules,
    /// Files with tests of rules
    Tests,
}

impl Schema {
    pub(super) fn run(&self) -> u8 {
        let schema = match self.of {
            Of::Config => schema::json_schema(&CONFIG, "groundswell.yaml", true),
            Of::Rules => schema::rules_schema(&FILE, "rule file of groundswell"),
            Of::Tests => schema::json_schema(&TESTS, "tests of rules of groundswell", false),
        };
        match writeln!(io::stdout(), "{schema:#}") {
            Err(e) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            _ => FINE,
        }
    }
}
