//! What members of a tenant do with its status pages: tell of a trouble, plan maintenance, post.

use std::sync::Arc;

use bugle_domain::object::Directory;
use bugle_domain::status_page::StatusPage;
use bugle_domain::{BulletinId, ServiceId, StatusPageId};
use bugle_engine::status::State;
use bugle_engine::status::board::Touched;
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase};
use bugle_engine::status::history::DAYS;
use bugle_engine::status::tenant;
use bugle_store::BulletinRow;
use jiff::{SignedDuration, Timestamp};

use super::desk::{DraftedBulletin, Post, bad, begun, phase, times, words};
use super::{StatusError, pages};
use crate::app::App;
use crate::caller::Caller;
use crate::error::problem;
use crate::permission::Permission;

/// Bulletins of one page that are open at once.
const MAX_OPEN: usize = 50;

/// All that a member sees of a status page.
#[derive(Clone, PartialEq, Debug)]
pub struct PageDesk {
    /// The page as it is configured.
    pub page: StatusPage,
    /// Where the public reads it; `None`: it does not.
    pub address: Option<String>,
    /// The services on it, and how each is shown.
    pub services: Vec<(Touched, State)>,
    /// What was told in the last 90 days, newest first.
    pub bulletins: Vec<DraftedBulletin<Touched>>,
}

/// What a new bulletin of a page is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageNews {
    /// Something is wrong.
    Trouble {
        /// How bad it is.
        state: Option<State>,
    },
    /// Maintenance to be done.
    Maintenance {
        /// From when on.
        from: Option<Timestamp>,
        /// Until when.
        until: Option<Timestamp>,
    },
}

/// A new bulletin of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPageBulletin {
    /// What it is about.
    pub news: PageNews,
    /// In a line.
    pub title: String,
    /// The first update.
    pub text: String,
    /// What it touches, of the page's services.
    pub services: Vec<ServiceId>,
}

impl App {
    /// A status page of the tenant, with what it tells.
    pub async fn page_desk(
        &self,
        caller: &Caller,
        id: StatusPageId,
    ) -> Result<PageDesk, StatusError> {
        let (page, directory) = self.own_page(caller, Permission::ReadConfiguration, id).await?;
        let now = self.now();
        let since = now.saturating_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
        let store = &self.inner().store;
        let rows = store.page_bulletins(caller.scope, id, since).await?;
        let alerts = store.services_in_trouble(caller.scope).await?;
        let plain: Vec<Bulletin<ServiceId>> = rows.iter().map(|it| it.bulletin.clone()).collect();
        let shown = tenant::shown(&page, &alerts, &plain, now);
        let state = |it: ServiceId| shown.get(&it).copied().unwrap_or(State::Operational);
        let service = |it: ServiceId| (touched(&page, &directory, it), state(it));
        let on = page.enabled && self.inner().status.settings().is_some();
        Ok(PageDesk {
            address: on.then(|| format!("{}/", pages::address(self.inner(), id))),
            services: page.services.iter().map(|it| service(it.service)).collect(),
            bulletins: rows.into_iter().map(|it| drafted(it, &page, &directory, now)).collect(),
            page,
        })
    }

    /// One bulletin of a status page of the tenant, with its draft.
    pub async fn page_bulletin(
        &self,
        caller: &Caller,
        page: StatusPageId,
        id: BulletinId,
    ) -> Result<DraftedBulletin<Touched>, StatusError> {
        let (page, directory) = self.own_page(caller, Permission::ReadConfiguration, page).await?;
        let row = self.inner().store.page_bulletin(caller.scope, page.id, id).await?;
        Ok(drafted(row.ok_or(StatusError::NotFound)?, &page, &directory, self.now()))
    }

    /// Tells the public something new on a status page of the tenant.
    pub async fn tell_on_page(
        &self,
        caller: &Caller,
        page: StatusPageId,
        new: NewPageBulletin,
    ) -> Result<BulletinId, StatusError> {
        let (page, _) = self.own_page(caller, Permission::PostOwnStatus, page).await?;
        let bulletin = self.begun_on(caller, &page, new).await?;
        if !self.inner().store.publish_page_bulletin(caller.scope, page.id, &bulletin).await? {
            return Err(StatusError::NotFound);
        }
        Ok(bulletin.id)
    }

    /// What the public would read if this was told now. Nothing is kept.
    pub async fn preview_on_page(
        &self,
        caller: &Caller,
        page: StatusPageId,
        new: NewPageBulletin,
    ) -> Result<Bulletin<Touched>, StatusError> {
        let (page, directory) = self.own_page(caller, Permission::PostOwnStatus, page).await?;
        let bulletin = self.begun_on(caller, &page, new).await?;
        Ok(bulletin.in_words(|id| touched(&page, &directory, *id)))
    }

    /// A bulletin with its first update.
    async fn begun_on(
        &self,
        caller: &Caller,
        page: &StatusPage,
        new: NewPageBulletin,
    ) -> Result<Bulletin<ServiceId>, StatusError> {
        let now = self.now();
        let (store, scope) = (&self.inner().store, caller.scope);
        let mut problems = words(&new.title, &new.text, new.services.is_empty());
        let shows = |id: &ServiceId| page.services.iter().any(|it| it.service == *id);
        if !new.services.iter().all(shows) {
            problems.push(problem("/components", "missing", "choose services of this page"));
        }
        if store.page_bulletins(scope, page.id, now).await?.len() >= MAX_OPEN {
            let message = format!("{MAX_OPEN} bulletins are open; end one of them first");
            problems.push(problem("/title", "count", message));
        }
        let about = match new.news {
            PageNews::Trouble { state } => {
                let state = bad(state, &mut problems);
                state.map(|state| (Kind::Trouble { incident: None }, state))
            }
            PageNews::Maintenance { from, until } => {
                problems.extend(times(from, until, now));
                let times = from.zip(until);
                times.map(|(from, until)| (Kind::Maintenance { from, until }, State::Maintenance))
            }
        };
        let Some(about) = about.filter(|_| problems.is_empty()) else {
            return Err(StatusError::Invalid(problems));
        };
        let begins = match about.0 {
            Kind::Trouble { .. } => Phase::Investigating,
            Kind::Maintenance { .. } => Phase::Scheduled,
        };
        let update = self.update(caller, begins, &new.text);
        let mut bulletin = begun(about, new.title, new.services, now);
        tenant::say(&mut bulletin, update);
        Ok(bulletin)
    }

    /// Says something in a bulletin of a status page of the tenant.
    pub async fn post_on_page(
        &self,
        caller: &Caller,
        page: StatusPageId,
        id: BulletinId,
        post: Post,
    ) -> Result<DraftedBulletin<Touched>, StatusError> {
        let (page, directory) = self.own_page(caller, Permission::PostOwnStatus, page).await?;
        let mut row = self.said_on(caller, (page.id, id), &post).await?;
        let store = &self.inner().store;
        if !store.save_page_bulletin(caller.scope, page.id, &row).await? {
            return Err(StatusError::Overtaken);
        }
        row.version += 1;
        Ok(drafted(row, &page, &directory, self.now()))
    }

    /// What the public would read if this was posted now. Nothing is kept.
    pub async fn preview_post_on_page(
        &self,
        caller: &Caller,
        page: StatusPageId,
        id: BulletinId,
        post: &Post,
    ) -> Result<Bulletin<Touched>, StatusError> {
        let (page, directory) = self.own_page(caller, Permission::PostOwnStatus, page).await?;
        let row = self.said_on(caller, (page.id, id), post).await?;
        Ok(row.bulletin.in_words(|id| touched(&page, &directory, *id)))
    }

    /// The bulletin as it is when this has been said in it.
    async fn said_on(
        &self,
        caller: &Caller,
        (page, id): (StatusPageId, BulletinId),
        post: &Post,
    ) -> Result<BulletinRow<ServiceId>, StatusError> {
        let row = self.inner().store.page_bulletin(caller.scope, page, id).await?;
        let mut row = row.ok_or(StatusError::NotFound)?;
        if row.version != post.version {
            return Err(StatusError::Overtaken);
        }
        let phase = phase(row.bulletin.kind, post)?;
        tenant::say(&mut row.bulletin, self.update(caller, phase, &post.text));
        Ok(row)
    }

    async fn own_page(
        &self,
        caller: &Caller,
        permission: Permission,
        id: StatusPageId,
    ) -> Result<(StatusPage, Arc<Directory>), StatusError> {
        caller.require(permission)?;
        let directory = self.inner().directories.get(caller.scope).await?;
        let page = directory.status_pages.get(&id).cloned().ok_or(StatusError::NoPage)?;
        Ok((page, directory))
    }
}

fn touched(page: &StatusPage, directory: &Directory, id: ServiceId) -> Touched {
    Touched { id: id.to_string(), name: tenant::name(page, directory, id) }
}

fn drafted(
    row: BulletinRow<ServiceId>,
    page: &StatusPage,
    directory: &Directory,
    now: Timestamp,
) -> DraftedBulletin<Touched> {
    let name = |id| tenant::name(page, directory, id);
    DraftedBulletin {
        draft: tenant::draft(&row.bulletin, name, now),
        bulletin: row.bulletin.in_words(|id| touched(page, directory, *id)),
        version: row.version,
        by_hand: true,
    }
}
