//! Judging what is due, also where the program fails at it: the notification at fault is set aside,
//! and the others are judged without it.

use std::slice;
use std::sync::Arc;

use bugle_domain::notification::End;
use bugle_engine::dispatch::{self, Candidate, Limits, PaceUpdate, Room, Verdict};
use jiff::Timestamp;

use crate::app::Inner;
use crate::error::caught;
use crate::rehearsal::{Mechanism, Work};

/// Why a notification ended that is set aside, as a stable word.
const REASON: &str = "program_failed";
/// What the operators are told of it.
const FAILED: &str = "the program failed to judge it; see its log";

type Judged = (Vec<Verdict>, Vec<PaceUpdate>);

/// Judges candidates, with what applies now.
pub(super) struct Judging<'a> {
    pub(super) app: &'a Arc<Inner>,
    pub(super) limits: &'a Limits,
    pub(super) room: &'a Room,
    pub(super) now: Timestamp,
}

impl Judging<'_> {
    /// A verdict for each, in their order.
    pub(super) fn judge(&self, candidates: &[Candidate]) -> Judged {
        if self.app.lacks(Mechanism::Judge) {
            return unjudged(candidates);
        }
        if self.app.lacks(Mechanism::SetAside) {
            return self.ask(candidates);
        }
        caught(|| self.ask(candidates)).unwrap_or_else(|| self.without_the_guilty(candidates))
    }

    fn ask(&self, candidates: &[Candidate]) -> Judged {
        self.app.falter(Work::Judgement, candidates.iter().map(|it| it.alert.dedup_key.as_str()));
        dispatch::judge(candidates, self.limits, self.room, self.now)
    }

    /// Each is judged alone to find those at fault, which end; the others are judged together.
    fn without_the_guilty(&self, candidates: &[Candidate]) -> Judged {
        let is_sound = |one: &&Candidate| caught(|| self.ask(slice::from_ref(*one))).is_some();
        let sound: Vec<Candidate> = candidates.iter().filter(is_sound).cloned().collect();
        let judged = caught(|| self.ask(&sound)).unwrap_or_else(|| self.the_first(&sound));
        let mut of_sound = judged.0.into_iter().zip(&sound).peekable();
        let mut verdict = |one: &Candidate| {
            let id = one.notification.id;
            let judged = of_sound.next_if(|(_, sound)| sound.notification.id == id);
            judged.map_or_else(|| self.set_aside(one), |(verdict, _)| verdict)
        };
        (candidates.iter().map(&mut verdict).collect(), judged.1)
    }

    /// It ends, and the operators are told.
    fn set_aside(&self, one: &Candidate) -> Verdict {
        self.app.note_failure(one, FAILED);
        Verdict::End { end: End::Failed, reason: REASON }
    }

    /// Where each can be judged, and not all of them together, they go one by one.
    fn the_first(&self, sound: &[Candidate]) -> Judged {
        let (mut verdicts, mut paces) = (vec![Verdict::Leave; sound.len()], Vec::new());
        if let (Some(first), Some(verdict)) = (sound.first(), verdicts.first_mut()) {
            let alone = caught(|| self.ask(slice::from_ref(first)));
            if let Some((judged, updates)) = alone {
                judged.into_iter().take(1).for_each(|it| *verdict = it);
                paces = updates;
            }
        }
        (verdicts, paces)
    }
}

/// What a rehearsal does instead of judging: each goes out by itself, whatever it says.
fn unjudged(candidates: &[Candidate]) -> Judged {
    let send = |message| Verdict::Send { message };
    ((0..candidates.len()).map(send).collect(), Vec::new())
}
