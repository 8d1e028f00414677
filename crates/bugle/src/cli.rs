//! The command line: which commands there are, and what each is given.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub mod alerts;
pub mod assist;
pub mod backlog;
pub mod books;
pub mod change;
mod cleanup;
pub mod configuration;
pub mod configuration_file;
pub mod context;
pub mod doctor;
pub mod drill;
pub mod incidents;
pub mod login;
pub mod mail_address;
pub mod names;
pub mod reference;
pub mod schedules;
pub mod status;
pub mod subscribers;
pub mod trigger;
pub mod watch;

const EXAMPLES: &str = "\
Examples:
  bugle demo                         a sample company with phones that ring in your browser
  bugle serve --data /var/lib/bugle  the real thing
  bugle trigger \"db1 is down\" --severity critical
  bugle alerts
  bugle ack 4812
  bugle who payments
  bugle why 4812

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 login needed, 5 refused, 6 done but
something needs attention.";

/// Events in, the right person paged, until somebody answers.
#[derive(Debug, Parser)]
#[command(name = "bugle", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Write one JSON value instead of words
    #[arg(long, global = true, help_heading = "Common options")]
    pub json: bool,
    /// Server to talk to; also BUGLE_SERVER, or the profile
    #[arg(long, global = true, help_heading = "Common options", value_name = "URL")]
    pub server: Option<String>,
    /// Server and key as saved under this name by `bugle login`
    #[arg(long, global = true, help_heading = "Common options", value_name = "NAME")]
    pub profile: Option<String>,
}

/// What `bugle` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Run a sample company with simulated phones and mailboxes
    Demo(DemoArgs),
    /// Make a tenant, its first admin (also operator) and an API key, without a server
    Setup(SetupArgs),
    /// Check a configuration and name every mistake
    CheckConfig(CheckConfigArgs),
    /// Check the surroundings: clock, port, address, database, providers
    Doctor(DoctorArgs),
    /// Save a server and a key for later commands
    Login,
    /// Say that something is wrong (or over)
    Trigger(TriggerArgs),
    /// Where an integration's events may be mailed to
    MailAddress(MailAddressArgs),
    /// List alerts
    Alerts(AlertsArgs),
    /// Take alerts: "I have it"
    #[command(visible_alias = "acknowledge")]
    Ack(RespondArgs),
    /// End alerts: "it is over"
    Resolve(RespondArgs),
    /// Hand alerts to the next level now: "not me"
    PassOn(RespondArgs),
    /// Who is on call, until when, and whether they can be reached
    Who(WhoArgs),
    /// The books: every accepted event and every owed notification
    Ledger(LedgerArgs),
    /// What the watch sees: what is broken, the canaries, what runs out
    Watch,
    /// Major incidents: declare one, write into its room, close it, report on it
    #[command(visible_alias = "incidents")]
    Incident(IncidentsArgs),
    /// "I sent this, and nobody was paged": ask the ledger and the operators
    #[command(subcommand)]
    Assist(assist::AssistCommand),
    /// What the status page says; for operators: tell the public, and say what is new
    Status(status::StatusArgs),
    /// Watch a server from outside, and tell its operators when it is silent or in trouble
    Sentinel(SentinelArgs),
    /// Rehearse a failure on a node that is thrown away, and measure how it goes
    Drill(DrillArgs),
    /// Run the node of a drill
    #[command(hide = true)]
    DrillNode(DrillNodeArgs),
    /// Why something happened, from the bytes received to the human act
    Why(WhyArgs),
    /// Make the configuration what a file says
    Apply(ApplyArgs),
    /// Write the configuration as a file for `bugle apply`
    Export,
    /// Change what the stages run with, guarded
    #[command(subcommand)]
    Change(change::ChangeCommand),
    /// Write a completion script for a shell
    Completions(CompletionsArgs),
    /// Write this reference of all commands
    #[command(hide = true)]
    Reference,
}

/// Where a process keeps what it needs.
#[derive(Clone, Debug, Args)]
pub struct DataArgs {
    /// Data directory; also BUGLE_DATA
    #[arg(
        long,
        value_name = "DIR",
        env = "BUGLE_DATA",
        hide_env = true,
        default_value = "bugle-data"
    )]
    pub data: PathBuf,
    /// Configuration file; also BUGLE_CONFIG
    #[arg(long, value_name = "FILE", env = "BUGLE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Database: sqlite:PATH or postgres://USER@HOST/NAME [default: in the data directory]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

/// How `serve` runs.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Where it keeps what it needs.
    #[command(flatten)]
    pub data: DataArgs,
    /// Address and port to listen on [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
}

/// How `demo` runs.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Keep the sample data here [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What `setup` makes.
#[derive(Clone, Debug, Args)]
pub struct SetupArgs {
    /// Where the server keeps what it needs.
    #[command(flatten)]
    pub data: DataArgs,
    /// Name of the organisation
    #[arg(long, default_value = "Main")]
    pub tenant: String,
    /// Name of the first admin
    #[arg(long, default_value = "Admin")]
    pub name: String,
    /// Mail address of the first admin
    #[arg(long, default_value = "admin@localhost")]
    pub email: String,
    /// Time zone, as an IANA name
    #[arg(long, default_value = "UTC")]
    pub time_zone: String,
    /// File that holds the admin's password [default: one is made and shown once]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// What `check-config` checks.
#[derive(Clone, Debug, Args)]
pub struct CheckConfigArgs {
    /// The file; without one, the defaults and the environment
    #[arg(long, value_name = "FILE", env = "BUGLE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Write the defaults with their explanation, as a start for a file of your own
    #[arg(long)]
    pub defaults: bool,
}

/// What `doctor` looks at.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// Where the server keeps what it needs.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What `trigger` says.
#[derive(Clone, Debug, Args)]
pub struct TriggerArgs {
    /// What is wrong, in a line
    pub summary: String,
    /// How bad: critical, high, medium, low or info
    #[arg(long, default_value = "high")]
    pub severity: String,
    /// Through which integration, by name or id [default: the only one, or the one of the service]
    #[arg(long)]
    pub integration: Option<String>,
    /// What is broken, by name or id: uses the integration of that service
    #[arg(long)]
    pub service: Option<String>,
    /// Which machine or thing says so
    #[arg(long, default_value = "bugle trigger")]
    pub source: String,
    /// Events with the same key fold into one alert
    #[arg(long, value_name = "KEY")]
    pub dedup_key: Option<String>,
    /// trigger, acknowledge or resolve (the last two need --dedup-key)
    #[arg(long, default_value = "trigger")]
    pub action: String,
}

/// Which alerts are listed.
#[derive(Clone, Debug, Args)]
pub struct AlertsArgs {
    /// open, acknowledged, resolved or all [default: open and acknowledged]
    #[arg(long)]
    pub status: Option<String>,
    /// Of one service, by name or id
    #[arg(long)]
    pub service: Option<String>,
    /// Of one severity
    #[arg(long)]
    pub severity: Option<String>,
    /// With this text
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// How many at most, 1-1000
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// Which alerts are answered.
#[derive(Clone, Debug, Args)]
pub struct RespondArgs {
    /// Numbers (4812 or #4812) or ids (alr_...)
    #[arg(required = true, value_name = "ALERT")]
    pub alerts: Vec<String>,
}

/// Of which schedule.
#[derive(Clone, Debug, Args)]
pub struct WhoArgs {
    /// Name or id [default: all]
    pub schedule: Option<String>,
}

/// Whose books.
#[derive(Clone, Debug, Args)]
pub struct LedgerArgs {
    /// Of all tenants, for operators
    #[arg(long)]
    pub all: bool,
    /// What is owed and due, and what would become of it if it went out now, for operators
    #[arg(long, conflicts_with = "all")]
    pub backlog: bool,
    /// Only what came from then on, such as 2026-11-25T02:00:00Z, and how that went
    #[arg(long, conflicts_with = "backlog", value_name = "TIME")]
    pub from: Option<jiff::Timestamp>,
    /// And until then [default: now]
    #[arg(long, requires = "from", value_name = "TIME")]
    pub until: Option<jiff::Timestamp>,
}

/// Which incidents.
#[derive(Clone, Debug, Args)]
pub struct IncidentsArgs {
    /// What to do with which [default: list them]
    #[command(subcommand)]
    pub what: Option<IncidentsCommand>,
}

/// What can be done with an incident.
#[derive(Clone, Debug, Subcommand)]
pub enum IncidentsCommand {
    /// Declare one: a room is opened, and its timeline fills itself
    Declare(DeclareArgs),
    /// List them, newest first
    List,
    /// Show one and its timeline
    Show(IncidentArgs),
    /// Write into its room: a note, or a command as in "/lead Priya: I am off at six"
    Note(SayArgs),
    /// Say that one is over
    Close(CloseArgs),
    /// Write the draft of its report, as Markdown
    Report(IncidentArgs),
    /// Say "I have it": its alarm is not repeated any more
    Answer(IncidentArgs),
}

/// What is declared.
#[derive(Clone, Debug, Args)]
pub struct DeclareArgs {
    /// What is wrong, in a line [default: what the alert says]
    #[arg(default_value = "", required_unless_present = "alert", hide_default_value = true)]
    pub title: String,
    /// How bad: critical or major
    #[arg(long, default_value = "critical")]
    pub severity: String,
    /// What is affected, in words
    #[arg(long, default_value = "", hide_default_value = true)]
    pub affected: String,
    /// The number of the alert that it is declared from
    #[arg(long, value_name = "NUMBER")]
    pub alert: Option<i64>,
    /// Who leads [default: you]
    #[arg(long, value_name = "NAME")]
    pub commander: Option<String>,
    /// Who says what is said outside
    #[arg(long, value_name = "NAME")]
    pub communications: Option<String>,
    /// Who writes down what is not written by itself
    #[arg(long, value_name = "NAME")]
    pub scribe: Option<String>,
    /// It is the installation's own, for operators
    #[arg(long)]
    pub installation: bool,
    /// Tell the public at once, and how bad it is for them
    #[arg(
        long, value_name = "STATE", requires_all = ["installation", "components"],
        value_parser = ["degraded_performance", "partial_outage", "major_outage"]
    )]
    pub tell: Option<String>,
    /// What it touches for them: intake, web, api, integrations, email_initiation, email, sms or
    /// voice; may be given more than once
    #[arg(long = "component", value_name = "COMPONENT", requires = "tell")]
    pub components: Vec<String>,
}

/// What is written into a room.
#[derive(Clone, Debug, Args)]
pub struct SayArgs {
    /// The note, or the command
    pub text: String,
    /// The incident
    #[arg(long, value_name = "INCIDENT", default_value = "1")]
    pub incident: String,
}

/// Why one is over.
#[derive(Clone, Debug, Args)]
pub struct CloseArgs {
    /// Why
    pub reason: String,
    /// The incident
    #[arg(long, value_name = "INCIDENT", default_value = "1")]
    pub incident: String,
    /// When it did no more harm, as 2026-11-25T02:42:00Z [default: when that was said, or now]
    #[arg(long, value_name = "TIME")]
    pub mitigated_at: Option<String>,
}

/// Which incident.
#[derive(Clone, Debug, Args)]
pub struct IncidentArgs {
    /// Its id (inc_...), or its place in the list (1 is the newest)
    #[arg(value_name = "INCIDENT", default_value = "1")]
    pub incident: String,
}

/// What is watched, and how.
#[derive(Clone, Debug, Args)]
pub struct SentinelArgs {
    /// The server that is watched
    #[arg(long, value_name = "URL")]
    pub target: String,
    /// Configuration file: [watch.operators], [watch.heartbeat], watch.key, watch.outside_key
    #[arg(long, value_name = "FILE", env = "BUGLE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Where alarms are answered; without it they repeat until the trouble is over
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<std::net::SocketAddr>,
}

/// Which drill, and how it is held.
#[derive(Clone, Debug, Args)]
pub struct DrillArgs {
    /// Its name; `list` lists all
    pub name: String,
    /// Decides everything that is by chance [default: chosen by chance, and said]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Only this variant of it; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub variant: Vec<String>,
    /// How much is owed, where a drill has a size
    #[arg(long, value_name = "COUNT")]
    pub scale: Option<u32>,
    /// Write a report there, as Markdown and JSON
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// An empty database: postgres://USER@HOST/NAME [default: a file that is thrown away]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Take a mechanism out, to see that it is missed: watch, undo, judge, resume, set-aside or
    /// in-use
    #[arg(long, value_name = "MECHANISM", hide = true)]
    pub without: Vec<String>,
    /// Give up after so many seconds where something does not end by itself
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub give_up_after: Option<u64>,
}

/// The node of a drill.
#[derive(Clone, Debug, Args)]
pub struct DrillNodeArgs {
    /// Where it keeps what it needs.
    #[command(flatten)]
    pub data: DataArgs,
    /// Which tenants there are, as JSON
    #[arg(long)]
    pub company: String,
    /// A mechanism that is taken out
    #[arg(long)]
    pub without: Vec<String>,
}

/// What to explain.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    /// An alert (4812, alr_...) or an event (evt_...)
    #[arg(value_name = "ID")]
    pub id: String,
}

/// Whose address.
#[derive(Clone, Debug, Args)]
pub struct MailAddressArgs {
    /// The integration: a name or id
    pub integration: String,
}

/// What to apply.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// The file; - for standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// Only show the difference
    #[arg(long)]
    pub plan: bool,
    /// Also delete what the file does not name, of the kinds it has a section for
    #[arg(long)]
    pub delete: bool,
}

/// For which shell.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, powershell or elvish
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
