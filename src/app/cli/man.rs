//! `man`: pages of the manual, made of what `--help` says.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man as Pages;
use clap_mangen::roff::{Roff, roman};

use super::output::{is_closed, tell_error};
use super::{Cli, FAILED, FINE};
use crate::base::fault::printable;

/// Print the page of the manual, or write one for each command into a folder
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell man | man -l -\n  groundswell man ~/.local/share/man/man1    then: man groundswell-run"
)]
pub(super) struct Man {
    /// The folder, made if there is none; without it the page of the program is printed
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self) -> u8 {
        let mut program = Cli::command().disable_help_subcommand(true);
        program.build();
        let done = match &self.dir {
            Some(dir) => write_all(&program, dir),
            None => page(&program).and_then(|text| io::stdout().write_all(&text)),
        };
        match done {
            Err(e) if !is_closed(&e) => {
                tell_error(e);
                FAILED
            }
            _ => FINE,
        }
    }
}

/// Writes the pages of a command and of those below it, and says which.
fn write_all(command: &Command, dir: &Path) -> io::Result<()> {
    let fail = |path: &Path, e: io::Error| {
        io::Error::other(format!("expected to write {}, found {e}", printable(&path.display().to_string())))
    };
    fs::create_dir_all(dir).map_err(|e| fail(dir, e))?;
    let path = dir.join(Pages::new(command.clone()).get_filename());
    fs::write(&path, page(command)?).map_err(|e| fail(&path, e))?;
    writeln!(io::stdout(), "{}", path.display())?;
    command.get_subcommands().try_for_each(|c| write_all(c, dir))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let name = concat!("groundswell ", env!("CARGO_PKG_VERSION"));
    let man = Pages::new(command.clone()).source(name);
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    if let Some(help) = command.get_after_help() {
        examples(&help.to_string()).to_writer(&mut out)?;
    }
    Ok(out)
}

/// What follows the options in a help text: indented lines stay lines, all others are text.
fn examples(help: &str) -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["EXAMPLES"]);
    let mut verbatim = false;
    for line in help.lines().filter(|l| *l != "Examples:") {
        let indented = line.starts_with("  ");
        match (verbatim, indented) {
            (false, true) => drop(roff.control("nf", [])),
            (true, false) => drop(roff.control("fi", [])),
            _ => {}
        }
        verbatim = indented;
        if line.trim().is_empty() {
            roff.control("PP", []);
        } else {
            roff.text([roman(line.trim_start())]);
        }
    }
    if verbatim {
        roff.control("fi", []);
    }
    roff
}
