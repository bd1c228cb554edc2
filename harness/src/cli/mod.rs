//! The command line: what was typed, and which room deals with it.

pub mod coverage;
pub mod explain;
pub mod fmt;
pub mod lint;
pub mod list;
mod module;
pub mod monitors;
mod mutants;
mod probes;
mod progress;
mod rig;
mod run;
mod serve;
mod sweep;

use crate::diagnostic::Diagnostics;
use crate::exit::{self, Exit};
use crate::profile::Profile;
use crate::suite::{Library, Selection, Suite};
use clap::{Args, ColorChoice, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The command line of urcheck.
#[derive(Debug, Parser)]
#[command(
    name = "urcheck",
    version,
    about = "Conformance harness for e-mail AT command implementations (SMTP and POP3)",
    after_help = exit::HELP,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colours; `auto` obeys NO_COLOR and looks whether the output is a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replay scenarios against a device and judge what it does
    Run(Box<run::Run>),
    /// Run flows again with everything that can go wrong at every place of their mail dialogues
    Sweep(Box<sweep::Sweep>),
    /// Measure the suite: how many deliberately broken modules it catches
    Mutants(mutants::Mutants),
    /// List the scenarios
    List(List),
    /// Look for mistakes in scenario, profile and clause files; touches no device
    Lint(Lint),
    /// Rewrite scenario files in their canonical form
    Fmt(Fmt),
    /// Tell what a scenario does and which clauses it covers
    Explain(Explain),
    /// Show which scenario covers which clause of the application note, and which faults provoke which URC
    Coverage(Coverage),
    /// List the rules that every case is held to, whatever its scenario expects
    #[command(after_help = monitors::HELP)]
    Monitors,
    /// Run the fake SMTP and POP3 servers alone and show every dialogue
    Serve(serve::Serve),
    /// Run the reference module alone: on a PTY, on TCP, or on standard input and output
    Module(module::Module),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    choice: Choice,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Lint {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    device: Device,
}

#[derive(Debug, Args)]
struct Fmt {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if a file is not in its canonical form
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Args)]
struct Explain {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    device: Device,
}

#[derive(Debug, Args)]
struct Coverage {
    #[command(flatten)]
    folder: Folder,
}

/// Which scenarios a command is about.
#[derive(Debug, Args)]
struct Choice {
    /// Scenarios by path (`note/3.2-send`), folder, glob (`pop3/*`), clause (`smtp.auth`,
    /// `clause:GLOB`), fault (`fault:S10`) or section of the note (`section:3.2`) [default: all]
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    #[command(flatten)]
    folder: Folder,
}

/// Where the scenarios come from.
#[derive(Debug, Args)]
struct Folder {
    /// Take scenarios, profiles and clauses from this folder instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

/// What is known of the device.
#[derive(Debug, Args)]
struct Device {
    /// Profile of the device: a built-in one by name, or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "sim5360")]
    profile: String,
    /// Override a key of the profile, such as timers.smtp=2s; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Why a command ended before it did what was asked: the text for standard error, and the exit
/// code.
#[derive(Debug)]
struct Refusal {
    text: String,
    exit: Exit,
}

impl Refusal {
    fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            exit: Exit::Usage,
        }
    }

    fn infrastructure(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            exit: Exit::Infrastructure,
        }
    }

    fn mistakes(found: &Diagnostics) -> Self {
        Self {
            text: found.render(stderr_has_colour()),
            exit: Exit::Scenario,
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to the parser; neither is one to the user.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Passed
            };
            let _unread = error.print();
            return exit.into();
        }
    };
    match cli.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    match cli.command.run() {
        Ok(exit) => exit.into(),
        Err(refusal) => {
            let text = refusal.text.trim_end();
            // A diagnostic begins with its own `error`.
            let prefix = if refusal.exit == Exit::Scenario {
                ""
            } else {
                "error: "
            };
            anstream::eprintln!("{prefix}{text}");
            refusal.exit.into()
        }
    }
}

impl Command {
    fn run(self) -> Result<Exit, Refusal> {
        match self {
            Self::Run(run) => run.run(),
            Self::Sweep(sweep) => sweep.run(),
            Self::Mutants(mutants) => mutants.run(),
            Self::List(args) => {
                let suite = args.choice.folder.suite()?;
                let selection = args.choice.select(&suite)?;
                Ok(print(list::list(&selection, args.json)))
            }
            Self::Lint(args) => {
                let suite = args.choice.folder.suite()?;
                let profile = args.device.profile(&suite)?;
                let selection = args.choice.select(&suite)?;
                Ok(print(lint::lint(
                    &suite,
                    &selection,
                    &profile,
                    stdout_has_colour(),
                )))
            }
            Self::Fmt(args) => Ok(print(fmt::fmt(
                &args.paths,
                args.check,
                stdout_has_colour(),
            ))),
            Self::Explain(args) => {
                let suite = args.choice.folder.suite()?;
                let profile = args.device.profile(&suite)?;
                let selection = args.choice.select(&suite)?;
                Ok(print(explain::explain(
                    &suite,
                    &selection,
                    &profile,
                    stdout_has_colour(),
                )))
            }
            Self::Coverage(args) => {
                let suite = args.folder.suite()?;
                Ok(print(coverage::coverage(&suite)))
            }
            Self::Monitors => Ok(print((monitors::monitors(), Exit::Passed))),
            Self::Serve(args) => args.run().map_err(Refusal::infrastructure),
            Self::Module(args) => args.run(),
        }
    }
}

impl Choice {
    fn select<'a>(&self, suite: &'a Suite) -> Result<Selection<'a>, Refusal> {
        select(&self.selectors, suite)
    }
}

fn select<'a>(selectors: &[String], suite: &'a Suite) -> Result<Selection<'a>, Refusal> {
    suite.select(selectors).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Refusal::usage(lines.join("\nerror: "))
    })
}

impl Folder {
    fn suite(&self) -> Result<Suite, Refusal> {
        let library = match &self.scenarios {
            Some(folder) => Library::Folder(folder.clone()),
            None => Library::Embedded,
        };
        Suite::load(library).map_err(|error| Refusal::usage(error.to_string()))
    }
}

impl Device {
    fn profile(&self, suite: &Suite) -> Result<Profile, Refusal> {
        let mut profile = suite
            .profile(&self.profile)
            .map_err(|found| Refusal::mistakes(&found))?;
        for assignment in &self.set {
            profile
                .set(assignment)
                .map_err(|error| Refusal::usage(error.to_string()))?;
        }
        Ok(profile)
    }
}

/// Refuses scenarios with mistakes before a device is touched.
fn without_mistakes(
    suite: &Suite,
    profile: &Profile,
    selection: &Selection<'_>,
) -> Result<(), Refusal> {
    let found = suite.lint(profile, selection.scenarios());
    match found.has_errors() {
        true => Err(Refusal::mistakes(&found)),
        false => Ok(()),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::infrastructure(format!("no runtime: {error}")))
}

fn print((text, exit): (String, Exit)) -> Exit {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => exit,
        // Whoever read it had enough, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            anstream::eprintln!("error: failed to write to standard output: {error}");
            Exit::Infrastructure
        }
    }
}

fn stdout_has_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

fn stderr_has_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}
