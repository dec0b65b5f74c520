//! The command line; one file a command.

mod acting;
mod ask;
mod check;
mod completions;
mod demo;
mod init;
mod lines;
mod man;
mod noise;
mod one_query;
mod output;
mod record;
mod reference;
mod replay;
mod run;
mod schema;
mod screen;
mod search;
mod status;
mod stored;
mod test;
mod try_forecast;
mod try_query;
mod try_surge;
mod try_tone;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything is fine.
pub(crate) const FINE: u8 = 0;
/// Findings or failure.
pub(crate) const FAILED: u8 = 1;

/// The program's name.
pub(crate) const NAME: &str = "groundswell";

#[derive(Parser)]
#[command(
    name = NAME,
    version,
    about = "Hears a hostile story about a brand while it is still small",
    long_about = "groundswell listens to public streams of posts, finds those about the brands it watches, judges how \
                  hostile each is and how many people it reaches, and pages a human the moment a hostile story starts \
                  to spread.",
    after_help = "Examples:\n  groundswell demo                     a story told by a local server, in half a minute\n  \
                  groundswell watch '\"acme corp\"'     who speaks of it now, and how\n  \
                  groundswell init                     the files of a service, to begin with\n  \
                  groundswell run -c groundswell.yaml  the service\n  \
                  groundswell status                   how does the service fare?\n  \
                  groundswell incidents                what goes on, and who takes care of it?\n  \
                  groundswell claim 7F3K               I do\n  \
                  groundswell alerts                   which episodes are open?\n  \
                  groundswell search guitar --since 7d what was said about it?\n  \
                  groundswell check rules/             are these rules sound?\n  \
                  groundswell test                     do they do what the tests beside them say?\n  \
                  groundswell replay day.ndjson.zst --rules rules/   what would they have said?\n  \
                  groundswell man | man -l -           the manual\n  \
                  groundswell completions bash         what bash needs to complete words\n\n\
                  Exit status: 0 fine, 1 findings or failure, 2 wrong usage."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Watch(watch::Watch),
    Init(init::Init),
    Run(run::Run),
    Status(status::Status),
    Search(search::Search),
    Record(record::Record),
    Replay(replay::Replay),
    Check(check::Check),
    Test(test::Test),
    Schema(schema::Schema),
    Reference(reference::Reference),
    Incidents(acting::Incidents),
    Ack(acting::Ack),
    Claim(acting::Claim),
    Close(acting::Close),
    Silence(acting::Silence),
    Outbox(acting::Outbox),
    SendTest(acting::SendTest),
    Alerts(stored::Alerts),
    Explain(stored::Explain),
    Ledger(stored::Ledger),
    Compare(stored::Compare),
    Backup(stored::Backup),
    Completions(completions::Completions),
    Man(man::Man),
    /// Try one part by hand
    #[command(subcommand)]
    Try(Try),
}

#[derive(Subcommand)]
enum Try {
    Query(try_query::TryQuery),
    Surge(try_surge::TrySurge),
    Forecast(try_forecast::TryForecast),
    Tone(try_tone::TryTone),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let code = match cli.command {
        Command::Demo(c) => c.run(),
        Command::Watch(c) => c.run(),
        Command::Init(c) => c.run(),
        Command::Run(c) => c.run(),
        Command::Status(c) => c.run(),
        Command::Search(c) => c.run(),
        Command::Record(c) => c.run(),
        Command::Replay(c) => c.run(),
        Command::Check(c) => c.run(),
        Command::Test(c) => c.run(),
        Command::Schema(c) => c.run(),
        Command::Reference(c) => c.run(),
        Command::Incidents(c) => c.run(),
        Command::Ack(c) => c.run(),
        Command::Claim(c) => c.run(),
        Command::Close(c) => c.run(),
        Command::Silence(c) => c.run(),
        Command::Outbox(c) => c.run(),
        Command::SendTest(c) => c.run(),
        Command::Alerts(c) => c.run(),
        Command::Explain(c) => c.run(),
        Command::Ledger(c) => c.run(),
        Command::Compare(c) => c.run(),
        Command::Backup(c) => c.run(),
        Command::Completions(c) => c.run(),
        Command::Man(c) => c.run(),
        Command::Try(Try::Query(c)) => c.run(),
        Command::Try(Try::Surge(c)) => c.run(),
        Command::Try(Try::Forecast(c)) => c.run(),
        Command::Try(Try::Tone(c)) => c.run(),
    };
    ExitCode::from(code)
}
