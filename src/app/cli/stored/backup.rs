//! `backup`: a copy of the store while it is written.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::{Failure, Which, ended};

/// Copy the store while the service goes on
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell backup /backup/groundswell-$(date +%F).db\n  \
                        groundswell backup copy.db --store /var/lib/groundswell/groundswell.db\n\n\
                        The copy is the store as it was at one moment, and is checked before it gets its name. An existing \
                        file is never replaced. To go back: stop the service, put the copy in the store's place, start it; \
                        sources that replay bring what came since.")]
pub(in crate::app::cli) struct Backup {
    /// Where the copy goes
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    which: Which,
}

impl Backup {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        ended(self.copy())
    }

    fn copy(&self) -> Result<(), Failure> {
        let asked = self.which.open()?;
        let shows = io::stderr().is_terminal();
        asked.db.backup(&self.to, |done, all| {
            if shows && all > 0 {
                let _ = write!(io::stderr(), "\r{:3} %", done * 100 / all);
            }
        })?;
        if shows {
            let _ = write!(io::stderr(), "\r     \r");
        }
        let bytes = std::fs::metadata(&self.to)?.len();
        let (_, last, at) = asked.db.end_of_log()?;
        writeln!(io::stdout(), "{}: {bytes} bytes, up to entry {last} of {at}", self.to.display())?;
        Ok(())
    }
}
