//! The status page as plain text, for terminals.

use std::fmt::Write as _;

use bugle_engine::status::board::{Board, Touched, Unseen};
use bugle_engine::status::bulletin::{Bulletin, Kind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::page::{percent, state_words};

/// Columns of a component's name.
const NAME: usize = 24;
/// Columns of a state.
const STATE: usize = 16;

/// `index.txt`.
pub(super) fn text(board: &Board) -> String {
    let mut out = format!("{} status: {}.\n", board.name, board.headline());
    for it in board.open() {
        told(&mut out, it);
    }
    for region in &board.regions {
        out.push('\n');
        let unseen = region.unseen.is_some();
        match region.unseen {
            Some(Unseen { since: Some(at) }) => {
                let _infallible = writeln!(out, "{}: NOT KNOWN since {}", region.name, exact(at));
            }
            Some(Unseen { since: None }) => {
                let _infallible = writeln!(out, "{}: NOT KNOWN, never read", region.name);
            }
            None if region.name.is_empty() => (),
            None => {
                let _infallible = writeln!(out, "{}", region.name);
            }
        }
        for row in &region.rows {
            let (name, state) = (&row.name, state_words(row.state, unseen));
            let up = percent(row.history.up);
            let _infallible = writeln!(out, "{name:NAME$} {state:STATE$} {up}");
        }
    }
    for it in board.under_way().chain(board.upcoming()) {
        told(&mut out, it);
    }
    let _infallible = write!(
        out,
        "\nOf the last 90 days; a time of partial failure counts at 30 %.\n\
         Written {} and anew {}: if that is long ago, Bugle itself can't write it.\n",
        exact(board.at),
        board.whose.how_often()
    );
    out
}

fn told(out: &mut String, it: &Bulletin<Touched>) {
    let when = match it.kind {
        Kind::Trouble { .. } => format!("since {}", exact(it.began_at)),
        Kind::Maintenance { from, until } => format!("{} to {}", exact(from), exact(until)),
    };
    let _infallible = writeln!(out, "\n{} ({when})", it.title);
    for update in it.updates.iter().rev().take(3) {
        let (at, phase) = (exact(update.at), update.phase.words());
        let _infallible = writeln!(out, "  {at}  {phase}. {}", update.text);
    }
}

fn exact(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
