//! The door for mail: what canaries that were mailed to it say of it.

use jiff::Timestamp;

use super::Hop;
use super::judge::Signal;

/// So many canaries in a row that are not taken are enough: one may meet a door that is restarted.
const ENOUGH: usize = 2;

/// What came of one canary by mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tried {
    /// It was taken, and its event is kept.
    Through,
    /// It says nothing of the door: the door answered that too many call from this machine.
    NotKnown,
    /// It was not taken; why, in words.
    Failed(String),
}

/// What is known of the door.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Door {
    /// When the first of those was sent that were not taken, how many there are, and why the last
    /// one was not.
    failing: Option<(Timestamp, usize, String)>,
}

impl Door {
    /// Takes in what came of a canary that was sent then.
    pub fn observe(&mut self, sent_at: Timestamp, tried: Tried) {
        match tried {
            Tried::Through => self.failing = None,
            Tried::NotKnown => (),
            Tried::Failed(why) => {
                let (since, count) = self
                    .failing
                    .as_ref()
                    .map_or((sent_at, 0), |(since, count, _)| (*since, *count));
                self.failing = Some((since, count + 1, why));
            }
        }
    }

    /// What is said against it.
    pub fn signal(&self) -> Option<Signal> {
        let (since, count, why) = self.failing.as_ref()?;
        let text = format!("{count} canaries by mail in a row were not taken: {why}");
        Some(Signal { ripe: *count >= ENOUGH, ..Signal::certain(Hop::MailIn, *since, text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_a_row_are_enough_and_one_that_is_taken_ends_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let failed = || Tried::Failed("no answer".to_owned());
        let mut door = Door::default();
        assert_eq!(door.signal(), None);
        door.observe(at(3), failed());
        assert!(!door.signal().unwrap().ripe, "it may be restarted");
        door.observe(at(6), Tried::NotKnown);
        door.observe(at(9), failed());
        let signal = door.signal().unwrap();
        assert!(signal.ripe && !signal.harmless);
        assert_eq!((signal.hop, signal.since), (Hop::MailIn, at(3)));
        assert_eq!(signal.text, "2 canaries by mail in a row were not taken: no answer");
        door.observe(at(12), Tried::Through);
        assert_eq!(door.signal(), None);
    }
}
