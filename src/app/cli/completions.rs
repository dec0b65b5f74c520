//! `completions`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::{is_closed, tell_error};
use super::{Cli, FAILED, FINE, NAME};

/// Print what a shell needs to complete commands and options
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell completions bash > ~/.local/share/bash-completion/completions/groundswell\n  \
                  groundswell completions zsh > ~/.zfunc/_groundswell\n  \
                  groundswell completions fish > ~/.config/fish/completions/groundswell.fish\n  \
                  source <(groundswell completions bash)     in this shell only\n\n\
                  zsh looks in folders of its fpath: `fpath+=~/.zfunc` before compinit in ~/.zshrc."
)]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> u8 {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), NAME, &mut script);
        match io::stdout().write_all(&script) {
            Err(e) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            _ => FINE,
        }
    }
}
