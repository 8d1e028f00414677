//! The pages about open requests as they stand: what is owed of each, and whether its alarm rings.
//!
//! All of it is kept with the requests, so that whoever looks next goes on where another stopped.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::{AssistanceId, TenantId};
use jiff::Timestamp;

use super::{Alarm, AssistanceRequest, Paged};

/// A page, with the requests on it that are open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPage<'a> {
    /// The request that it is named after, which need not be open.
    pub named: AssistanceId,
    /// The requests, oldest first; never empty.
    pub requests: Vec<&'a AssistanceRequest>,
}

/// The pages about requests that are open, by what they are named after.
pub fn pages<'a>(open: impl IntoIterator<Item = &'a AssistanceRequest>) -> Vec<OpenPage<'a>> {
    let mut found: BTreeMap<AssistanceId, Vec<&AssistanceRequest>> = BTreeMap::new();
    for request in open.into_iter().filter(|it| it.open()) {
        if let Some(paged) = request.paged {
            found.entry(paged.named).or_default().push(request);
        }
    }
    found
        .into_iter()
        .map(|(named, mut requests)| {
            requests.sort_by_key(|it| (it.opened_at, it.id));
            OpenPage { named, requests }
        })
        .collect()
}

impl OpenPage<'_> {
    /// Whether the pipeline has not taken all that it says.
    pub fn owed(&self) -> bool {
        self.paged().any(|it| it.owed)
    }

    /// Whether somebody has answered its alarm, or one of its requests.
    pub fn answered(&self) -> bool {
        self.alarm_answered() || self.requests.iter().any(|it| it.answered())
    }

    /// Whether somebody has answered its alarm, which is quiet from then on.
    pub fn alarm_answered(&self) -> bool {
        self.paged().any(|it| it.answered)
    }

    /// Its alarm, until each request that it is about is answered.
    pub fn alarm(&self) -> Option<Alarm> {
        if !self.requests.iter().any(|it| rings_about(it) && !it.answered()) {
            return None;
        }
        let first = self.paged().find_map(|it| it.alarm)?;
        let rang = self.paged().filter_map(|it| it.alarm?.rang).min();
        Some(Alarm { rang, ..first })
    }

    /// Whose requests are on it.
    pub fn tenants(&self) -> BTreeSet<TenantId> {
        self.requests.iter().map(|it| it.tenant).collect()
    }

    /// What a request that is added to it holds.
    pub fn with_another(&self, now: Timestamp) -> Paged {
        let alarm = self.alarm();
        Paged { owed: true, alarm, ..Paged::new(self.named, now) }
    }

    fn paged(&self) -> impl Iterator<Item = Paged> {
        self.requests.iter().filter_map(|it| it.paged)
    }
}

fn rings_about(request: &AssistanceRequest) -> bool {
    request.paged.is_some_and(|it| it.alarm.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assistance::finding::Cause;
    use crate::assistance::group::tests::asked;
    use crate::assistance::{Closed, Said};
    use crate::testing::{at, id};
    use bugle_domain::NodeId;

    fn node(number: u128) -> NodeId {
        id(NodeId::from_stored, number)
    }

    /// On the page that is named after the first, whose alarm rang at that minute, if it did.
    fn on_page(number: u128, rang: Option<i64>) -> AssistanceRequest {
        let mut request = asked(number, number, 0, Cause::Sent);
        let alarm = Some(Alarm { node: node(7), rang: rang.map(at) });
        let named = id(AssistanceId::from_stored, 1);
        request.paged = Some(Paged { alarm, ..Paged::new(named, at(0)) });
        request
    }

    fn answer(request: &mut AssistanceRequest) {
        request.said.push(Said {
            at: at(1),
            by: "Otto".to_owned(),
            operator: true,
            text: "We are on it.".to_owned(),
            mailed: None,
            record: false,
        });
    }

    #[test]
    fn an_alarm_waits_until_it_or_each_of_its_requests_is_answered() {
        let mut open = [on_page(1, None), on_page(2, None)];
        let alarm = |open: &[AssistanceRequest]| pages(open)[0].alarm();
        assert_eq!(alarm(&open), Some(Alarm { node: node(7), rang: None }));
        answer(&mut open[0]);
        assert!(alarm(&open).is_some() && pages(&open)[0].answered(), "the other one waits");
        let mut by_link = open.clone();
        by_link[1].paged = by_link[1].paged.map(|it| Paged { answered: true, ..it });
        let page = &pages(&by_link)[0];
        assert!(page.alarm_answered() && !pages(&open)[0].alarm_answered());
        answer(&mut open[1]);
        assert_eq!(alarm(&open), None);
    }

    #[test]
    fn that_it_rang_is_known_whichever_request_is_closed_and_whoever_died_between() {
        let mut open = [on_page(1, Some(3)), on_page(2, None)];
        let rang = |open: &[AssistanceRequest]| pages(open)[0].alarm().and_then(|it| it.rang);
        assert_eq!(rang(&open), Some(at(3)), "it was noted with one of them only");
        let another = pages(&open)[0].with_another(at(5));
        assert!(another.owed);
        assert_eq!(another.alarm.and_then(|it| it.rang), Some(at(3)));
        open[1].paged = Some(another);
        open[0].closed = Some(Closed { at: at(6), by: "Otto".to_owned() });
        assert_eq!(rang(&open), Some(at(3)));
        assert!(pages(&open)[0].owed());
    }

    #[test]
    fn one_that_joined_quietly_does_not_ring() {
        let mut quiet = on_page(2, None);
        quiet.paged = quiet.paged.map(|it| Paged { alarm: None, ..it });
        let mut first = on_page(1, Some(1));
        answer(&mut first);
        assert_eq!(pages(&[first, quiet])[0].alarm(), None);
    }
}
