//! Asking by mail: Python's SMTP client writes to somebody's own address, the request is there with
//! its trace, and what came of it arrives at their own mailbox.

use std::net::SocketAddr;

use bugle::config::MailIn;
use bugle::node::Behaviour;
use bugle_app::assistance::AssistanceView;
use bugle_engine::assistance::About;
use bugle_lab::{Lab, Mail};
use tokio::process::Command;

use crate::world::{LIMIT, World, critical, variable};

const LENAS_MAILBOX: &str = "lena@halden.example";

/// What every script begins with: a client that says hello, and a mail of Lena's.
const BEGIN: &str = r"
import email.message, smtplib, sys
host, port, to = sys.argv[1:4]
client = smtplib.SMTP(host, int(port), timeout=60)
def mail(number, subject, text, **headers):
    mail = email.message.EmailMessage()
    mail['From'], mail['To'], mail['Subject'] = 'lena@home.example', to, subject
    mail['Message-ID'] = f'<{number}@home.example>'
    for name, value in headers.items():
        mail[name.replace('_', '-')] = value
    mail.set_content(text)
    return mail
def refused(act):
    try:
        act()
    except smtplib.SMTPRecipientsRefused as error:
        print(*[f'{code} {text.decode()}' for code, text in error.recipients.values()])
    except smtplib.SMTPResponseException as error:
        print(error.smtp_code, error.smtp_error.decode())
    else:
        print('taken')
def raw(text):
    client.ehlo(), client.mail('lena@home.example'), client.rcpt(to), client.docmd('DATA')
    client.send(text)
    print(*[part.decode() if isinstance(part, bytes) else part for part in client.getreply()])
";

/// On the real clock, because the client has one of its own.
pub(crate) fn takes_mail(_: &Lab, behaviour: &mut Behaviour) {
    behaviour.watch.on = false;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    behaviour.mail_in = Some(MailIn { listen, domain: "in.example".to_owned() });
}

/// A world with a door for mail.
pub(crate) async fn world(url: Option<String>) -> World {
    World::watched(url, takes_mail).await
}

/// Tells each story on both databases, with a door for mail.
macro_rules! on_each_database_with_mail {
    ($($story:ident)*) => { $(
        mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$story($crate::mail_in::world(None).await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let url = Some($crate::world::new_schema().await);
                super::$story($crate::mail_in::world(url).await).await;
            }
        }
    )* };
}

pub(crate) use on_each_database_with_mail;

on_each_database_with_mail! {
    whoever_writes_to_their_address_has_asked
    what_is_not_for_us_is_refused_at_once
    nothing_is_taken_while_the_database_is_away
}

impl World {
    /// Lena's address.
    pub(crate) async fn help_address(&self) -> String {
        let lena = self.operator().await.user.unwrap();
        self.app().help_address(lena).unwrap()
    }

    /// Runs a script with the mail server's address and a recipient; gives what it printed.
    pub(crate) async fn python_mails(&self, to: &str, script: &str) -> String {
        let server = self.mail_address();
        let mut command = Command::new(variable("BUGLE_TEST_PYTHON"));
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        command.args(["-c", &format!("{BEGIN}{script}"), &host, &port, to]);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// All requests, the newest first.
    async fn asked(&self) -> Vec<AssistanceView> {
        let lena = self.operator().await;
        let mut views = Vec::new();
        for it in self.app().assistance_requests(&lena).await.unwrap() {
            views.push(self.app().assistance_request(&lena, it.request.id).await.unwrap());
        }
        views
    }
}

fn header<'a>(mail: &'a Mail, name: &str) -> &'a str {
    &mail.headers.iter().find(|(key, _)| key == name).unwrap().1
}

async fn whoever_writes_to_their_address_has_asked(w: World) {
    let event = w.send("checkout", critical("db1 is down")).await;
    let paged = w.lab.mailbox(LENAS_MAILBOX).wait_for_mail("db1 is down", LIMIT).await.unwrap();
    let to = w.help_address().await;
    assert!(paged.text.contains(&to), "the foot of a page says where to write: {}", paged.text);
    let sent = format!(
        "first = mail(1, 'No page', 'db1 went down.\\n\\n-- \\nLena\\n')\n\
         refused(lambda: client.send_message(first))\n\
         refused(lambda: client.send_message(first))\n\
         about = mail(2, 'No page', 'It was {event}, and nobody came.\\n')\n\
         refused(lambda: client.send_message(about))\n\
         reply = mail(3, 'Re: page', 'Nobody called.\\n', In_Reply_To='{}')\n\
         refused(lambda: client.send_message(reply))\n",
        header(&paged, "message-id"),
    );
    assert_eq!(w.python_mails(&to, &sent).await, "taken\ntaken\ntaken\ntaken");
    let asked = w.asked().await;
    let said: Vec<&str> = asked.iter().map(|it| it.request.expected.as_str()).collect();
    assert_eq!(said[1..], [&format!("It was {event}, and nobody came."), "db1 went down."]);
    assert_eq!(said[0], "Nobody called.");
    assert!(asked.iter().all(|it| it.trace.is_some() && it.request.finding.is_some()));
    assert!(matches!(asked[0].request.about, About::Alert { .. }), "{asked:#?}");
    assert_eq!(asked[1].request.about, About::Event { event: event.parse().unwrap() });
    assert_eq!(asked[2].request.about, About::Time);

    let mailbox = w.lab.mailbox(LENAS_MAILBOX);
    let told = mailbox.wait_for_mail("You had expected: db1 went down.", LIMIT).await.unwrap();
    assert_eq!(header(&told, "auto-submitted"), "auto-replied");
    assert_eq!(header(&told, "in-reply-to"), "<1@home.example>");
    assert_eq!(header(&told, "reply-to"), to);
    assert!(told.text.contains("The ledger says: "), "{}", told.text);
    let home = w.lab.mailbox("lena@home.example").mails();
    assert!(home.is_empty(), "whom a mail says that it is from is told nothing: {home:#?}");

    let operator = w.operator().await;
    w.app().answer_assistance(&operator, asked[2].request.id, "Which one?").await.unwrap();
    let answer = mailbox.wait_for_mail("Which one?", LIMIT).await.unwrap();
    let more = format!(
        "more = mail(4, 'Re: Answer', 'All of them.\\n', References='{} {}')\n\
         client.send_message(more)\n",
        header(&answer, "references"),
        header(&answer, "message-id"),
    );
    w.python_mails(header(&answer, "reply-to"), &more).await;
    let all = w.asked().await;
    assert_eq!(all.len(), 3, "no new one");
    assert_eq!(all[2].request.said.last().unwrap().text, "All of them.");
    let mails = mailbox.mails();
    let told = mails.iter().filter(|it| header(it, "auto-submitted") == "auto-replied").count();
    assert!(told <= 4, "one answer to each mail: {mails:#?}");
    w.end().await;
}

async fn what_is_not_for_us_is_refused_at_once(w: World) {
    let to = w.help_address().await;
    let script = "refused(lambda: client.sendmail('a@b.example', 'help+abc@in.example', 'x'))\n\
         refused(lambda: client.sendmail('a@b.example', 'lena@halden.example', 'x'))\n\
         raw(b'Subject: x\\r\\n\\r\\n' + b'a' * 70 + b'\\r\\n.\\r\\n')\n\
         raw(b'Subject: x\\r\\n\\r\\n' + (b'a' * 998 + b'\\r\\n') * 10500 + b'.\\r\\n')\n\
         refused(lambda: client.send_message(mail(5, 'x', 'x', Auto_Submitted='auto-replied')))\n\
         refused(lambda: client.sendmail('', to, 'Subject: x\\r\\n\\r\\nbounced'))\n\
         refused(lambda: client.send_message(mail(6, '', '> quoted')))\n\
         refused(lambda: client.sendmail('a@b.example', to, 'x', ['SIZE=99999999']))\n\
         raw(b'Subject: x\\r\\n\\r\\na\\n.\\r\\nMAIL FROM:<x@y.example>\\r\\n.\\r\\n')\n";
    let said = w.python_mails(&to, script).await;
    let expected = [
        "550 5.1.1 there is no such address here",
        "550 5.7.1 mail is not passed on from here",
        "250 2.0.0 kept",
        "552 5.3.4 too big: at most 10 MB",
        "554 5.7.1 people may write here, and no programs or lists",
        "554 5.7.1 people may write here, and no programs or lists",
        "554 5.6.0 write 1 to 2000 characters",
        "552 5.3.4 too big: at most 10 MB",
        "521 5.5.2 a bare CR or LF is not taken",
    ];
    assert_eq!(said.lines().collect::<Vec<&str>>(), expected);
    assert_eq!(w.asked().await.len(), 1);
    w.end().await;
}

async fn nothing_is_taken_while_the_database_is_away(w: World) {
    let to = w.help_address().await;
    w.store.close().await;
    let said = w.python_mails(&to, "refused(lambda: client.send_message(mail(1, 'x', 'x')))").await;
    assert_eq!(said, "451 4.3.2 not now, come again");
    w.leave_files().await;
}
