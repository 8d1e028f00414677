//! Answers by mail, to the proven addresses of whoever asked.

use std::time::Duration;

use bugle_channels::{Content, Correspondence, Outgoing};
use bugle_domain::contact::{Address, ContactMethod};
use bugle_domain::notification::SendOutcome;
use bugle_domain::object::Directory;
use bugle_domain::user::User;
use bugle_domain::{NotificationId, TenantScope};
use bugle_engine::assistance::{AssistanceRequest, Said};
use bugle_engine::message::html::escaped;
use tokio::time::Instant;

use super::error::AssistanceError;
use crate::app::App;
use crate::entropy;

/// How long sending one may take.
const SEND_LIMIT: Duration = Duration::from_secs(15);
/// For how long an answer is worth delivering, in seconds.
const VALIDITY_S: u32 = 86_400;
/// Longest subject, in characters of what was expected.
const SUBJECT_CHARS: usize = 60;

impl App {
    /// Mails an answer; says what came of it, in words.
    pub(super) async fn mail_answer(
        &self,
        request: &AssistanceRequest,
        answer: &Said,
    ) -> Result<String, AssistanceError> {
        let directory = self.directory(TenantScope::granted(request.tenant)).await?;
        let Some(user) = request.by.user.and_then(|id| directory.users.get(&id)) else {
            return Ok("Not mailed: a key asked, and no person.".to_owned());
        };
        let reply_to = self.help_address(user.id);
        let correspondence = Correspondence { reply_to, answers: None };
        let content = content(request, answer, self.public_url().as_str(), correspondence);
        Ok(self.mail_to(&directory, user, content).await)
    }

    /// Mails somebody at their first proven address; says what came of it, in words.
    pub(super) async fn mail_to(
        &self,
        directory: &Directory,
        user: &User,
        content: Content,
    ) -> String {
        let proven =
            |it: &&ContactMethod| it.proven_at.is_some() && matches!(it.address, Address::Email(_));
        let Some(method) = directory.methods(user.id).find(proven) else {
            return format!("Not mailed: {} has no proven mail address.", user.name);
        };
        let message = Outgoing {
            notification: NotificationId::new(self.now(), entropy::bytes()),
            tenant: directory.tenant.id,
            address: method.address.clone(),
            content,
            possible_repeat: false,
            validity_s: VALIDITY_S,
        };
        let sent = self.inner().send(&message, Instant::now() + SEND_LIMIT).await;
        let to = method.address.as_str();
        match sent.outcome {
            SendOutcome::Accepted => format!("Mailed to {to}."),
            _ => format!("Not mailed to {to}: {}.", sent.detail),
        }
    }
}

/// The mail with an answer in it.
fn content(
    request: &AssistanceRequest,
    answer: &Said,
    public_url: &str,
    correspondence: Correspondence,
) -> Content {
    let expected = bugle_domain::text::one_line(&request.expected);
    let subject = format!("Answer: {}", bugle_domain::text::truncate(&expected, SUBJECT_CHARS));
    let (by, answer) = (answer.by.as_str(), answer.text.as_str());
    let found = request.finding.as_ref().map(|it| it.text.as_str()).unwrap_or_default();
    let link = format!("{public_url}assistance/{}", request.id);
    let text = format!(
        "{by} answers:\n\n{answer}\n\nYou had expected: {expected}\nThe ledger says: {found}\n\n\
         The whole record, and where to say more: {link}\n"
    );
    let html = format!(
        "<p>{} answers:</p><p style=\"white-space:pre-wrap\">{}</p><p>You had expected: {}<br>\
         The ledger says: {}</p><p><a href=\"{link}\">The whole record, and where to say more</a>\
         </p>",
        escaped(by),
        escaped(answer),
        escaped(&expected),
        escaped(found),
    );
    let thread_key = request.id.to_string();
    Content::Email { subject, text, html, thread_key, unsubscribe: None, correspondence }
}

#[cfg(test)]
mod tests {
    use bugle_engine::assistance::{About, Reporter};

    use super::*;
    use crate::sample;

    #[test]
    fn an_answer_says_what_was_asked_and_where_the_record_is() {
        let request = AssistanceRequest {
            id: bugle_domain::AssistanceId::from_stored(sample::nth(7)),
            tenant: bugle_domain::TenantId::from_stored(sample::nth(900)),
            about: About::Time,
            integration: None,
            expected: "a text\nfor <db1>".to_owned(),
            from: sample::now(),
            until: sample::now(),
            by: Reporter { user: None, name: "Lena".to_owned() },
            opened_at: sample::now(),
            finding: None,
            traced_at: None,
            paged: None,
            said: Vec::new(),
            replica: None,
            closed: None,
        };
        let answer = Said {
            at: sample::now(),
            by: "Otto".to_owned(),
            operator: true,
            text: "We lost <it>.".to_owned(),
            mailed: None,
            record: false,
        };
        let none = Correspondence::default();
        let content = content(&request, &answer, "https://bugle.example/", none);
        let Content::Email { subject, text, html, .. } = content else { panic!("no mail") };
        assert_eq!(subject, "Answer: a text for <db1>");
        assert!(text.starts_with("Otto answers:\n\nWe lost <it>.\n"), "{text}");
        assert!(text.contains("https://bugle.example/assistance/ast_0000"), "{text}");
        assert!(html.contains("We lost &lt;it&gt;.") && !html.contains("<it>"), "{html}");
    }
}
