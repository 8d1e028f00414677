//! What holds where the operator has said nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Alerting, Canary, Dispatch, Intake, Responses, Retention, Revision, Watch};
use crate::contact::Channel;
use crate::notification::Lane;

/// The version of what the stages of this program hand to each other.
const SPOKEN: u16 = 1;

/// The standard revision, with these providers.
pub(super) fn revision(channels: BTreeMap<Channel, Vec<String>>) -> Revision {
    let lanes: BTreeSet<String> = Lane::ALL.map(|lane| lane.as_str().to_owned()).into();
    let accepts = BTreeSet::from([SPOKEN]);
    Revision {
        intake: Intake { writes: SPOKEN, max_body_bytes: 512 * 1_024 },
        alerting: Alerting { accepts: accepts.clone(), writes: SPOKEN, lanes: lanes.clone() },
        dispatch: dispatch(accepts.clone(), lanes),
        responses: Responses { accepts },
        channels,
        retention: Retention {
            raw_bytes: Duration::from_hours(30 * 24),
            history: Duration::from_hours(400 * 24),
            log: Duration::from_hours(800 * 24),
        },
        canary: Canary { every: Duration::from_secs(1), late: Duration::from_secs(2) },
        watch: Watch {
            pending_age: Duration::from_secs(5),
            owed_age: Duration::from_secs(5),
            red_after: Duration::from_secs(5),
            green_after: Duration::from_secs(10),
        },
    }
}

fn dispatch(accepts: BTreeSet<u16>, lanes: BTreeSet<String>) -> Dispatch {
    use Channel::{Email, Sms, Voice, Webhook};
    Dispatch {
        accepts,
        writes: SPOKEN,
        lanes,
        parallel: 256,
        bundle_window: Duration::from_secs(5),
        max_tries: 8,
        redial_after: Duration::from_secs(90),
        per_hour: [(Email, 60), (Sms, 20), (Voice, 6)].into(),
        urgent_per_hour: [(Email, 300), (Sms, 60), (Voice, 30)].into(),
        receipt_wait: [
            (Email, Duration::from_hours(1)),
            (Sms, Duration::from_mins(5)),
            (Voice, Duration::from_mins(5)),
            (Webhook, Duration::from_mins(1)),
        ]
        .into(),
    }
}
