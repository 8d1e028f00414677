//! What a configuration means, what is said about a wrong one, and that the manual is complete.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Config, ConfigErrors> {
    parse(&Sources { file: Some((Path::new("bugle.toml"), text)), ..Sources::default() })
}

fn mistakes(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_a_whole_configuration() {
    let config = parse(&Sources::default()).unwrap();
    assert_eq!(config.server.listen.port(), 7070);
    assert!(config.database.url.is_none());
    assert_eq!(config.intake.max_body_bytes, 512 << 10);
    assert!(config.channels.email.is_empty());
}

#[test]
fn every_mistake_is_named_at_once_with_its_line() {
    let text = r#"
[server]
listen = "localhost"
public_url = "ftp://example.com"
stop_within = 20

[dispatch]
paralel = 3
bundle_window = "1h"

[channels]
email = ["mail", "gone"]
sms = ["mail"]

[providers.mail]
kind = "smtp"
host = "smtp.example.com"
user = "bugle"
rate = "fast"
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    9 mistakes in bugle.toml
      line 3: server.listen: must be an address and port such as "127.0.0.1:7070", not "localhost"
      line 4: server.public_url: must begin with `https://` or `http://`
      line 5: server.stop_within: must have a unit, such as "30s", "5m", "2h"
      line 8: dispatch.paralel: there is no such key; did you mean dispatch.parallel?
      line 9: dispatch.bundle_window: must be from 0ms to 5m, and is 1h
      line 12: channels.email: there is no [providers.gone]
      line 18: providers.mail.user: needs a password, and a password needs a user
      line 19: providers.mail.rate: must be a number and a time such as "20/s", not "fast"
      providers.mail.from: is missing
    "#);
}

#[test]
fn mail_is_taken_in_only_where_both_keys_are_set() {
    assert_eq!(parse(&Sources::default()).unwrap().mail_in, None);
    let both = "[mail_in]\nlisten = \"[::]:2525\"\ndomain = \"In.Example\"\n";
    let mail = read(both).unwrap().mail_in.unwrap();
    assert_eq!((mail.listen.port(), mail.domain.as_str()), (2_525, "in.example"));
    insta::assert_snapshot!(mistakes("[mail_in]\ndomain = \"in.example\"\n"), @r"
    1 mistake in bugle.toml
      line 2: mail_in.domain: needs mail_in.listen
    ");
    let wrong = "[mail_in]\nlisten = \"smtp\"\ndomain = \"in .example\"\n";
    insta::assert_snapshot!(mistakes(wrong), @r#"
    2 mistakes in bugle.toml
      line 2: mail_in.listen: must be an address and port such as "127.0.0.1:2525", not "smtp"
      line 3: mail_in.domain: must be a domain such as "in.example.com", not "in .example"
    "#);
}

#[test]
fn no_request_may_outlast_its_claim() {
    insta::assert_snapshot!(mistakes("[channels.webhook]\nrequest_timeout = \"31s\"\n"), @r"
    1 mistake in bugle.toml
      line 2: channels.webhook.request_timeout: must be from 1s to 30s, and is 31s
    ");
    assert!(read("[channels.webhook]\nrequest_timeout = \"30s\"\n").is_ok());
}

#[test]
fn broken_toml_is_named_with_its_line() {
    insta::assert_snapshot!(mistakes("[server]\nlisten = \n"), @r"
    1 mistake in bugle.toml
      line 2: string values must be quoted, expected literal string
    ");
}

#[test]
fn a_variable_counts_more_than_the_file_and_a_flag_more_than_both() {
    let variables = BTreeMap::from([
        ("BUGLE__SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
        ("BUGLE__DISPATCH__PARALLEL".to_owned(), "7".to_owned()),
        ("BUGLE__CHANNELS__WEBHOOK__ALLOW".to_owned(), "10.0.0.0/8, ::1/128".to_owned()),
        ("BUGLE_API_KEY".to_owned(), "not ours".to_owned()),
    ]);
    let file = Some((Path::new("b.toml"), "[server]\nlisten = \"127.0.0.1:1\""));
    let flags = vec![("server.listen", "--listen", "127.0.0.1:3".to_owned())];
    let config = parse(&Sources { file, variables, flags }).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.dispatch.parallel, 7);
    assert_eq!(config.channels.webhook.allow.len(), 2);
}

#[test]
fn a_secret_comes_from_a_file_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "s3cret\n").unwrap();
    let text = "
[channels]
sms = [\"us\"]
voice = [\"us\"]
[providers.us]
kind = \"twilio\"
account_sid = \"AC00000000000000000000000000000000\"
auth_token_file = \"token\"
from = \"+15550100\"
sms_from = \"MG1\"
";
    let path = dir.path().join("bugle.toml");
    let config = parse(&Sources { file: Some((&path, text)), ..Sources::default() }).unwrap();
    let sms = &config.channels.sms[0];
    assert_eq!(sms.auth_token.expose_secret(), "s3cret");
    assert_eq!((sms.from.as_str(), config.channels.voice[0].from.as_str()), ("MG1", "+15550100"));
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn a_secret_given_twice_or_not_at_all_is_a_mistake() {
    let text = "
[providers.us]
kind = \"twilio\"
account_sid = \"AC1\"
from = \"+15550100\"
[database]
url = \"mysql://x\"
url_file = \"y\"
";
    insta::assert_snapshot!(mistakes(text), @r"
    3 mistakes in bugle.toml
      line 4: providers.us.account_sid: must be AC and 32 more characters
      line 8: database.url_file: must not be set beside database.url
      providers.us.auth_token: is missing; providers.us.auth_token_file may name a file instead
    ");
}

#[test]
fn certificate_authorities_are_read_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bugle.toml");
    let made = rcgen::generate_simple_self_signed(vec!["mail.halden.example".to_owned()]).unwrap();
    std::fs::write(dir.path().join("good.pem"), made.cert.pem()).unwrap();
    std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let read = |name: &str| {
        let text = format!("[outbound]\nroots_file = \"{name}\"\n");
        let config = parse(&Sources { file: Some((&path, &text)), ..Sources::default() });
        let shown = |errors: ConfigErrors| {
            errors.to_string().replace(&dir.path().display().to_string(), "DIR")
        };
        config.map(|config| format!("{:?}", config.channels.roots)).map_err(shown)
    };
    assert_eq!(read("good.pem").unwrap(), "Roots(1 certificates)");
    assert_eq!(read("").unwrap(), "Roots(0 certificates)");
    insta::assert_snapshot!(read("key.pem").unwrap_err().replace("bugle.toml", ""), @r"
    1 mistake in DIR/
      line 2: outbound.roots_file: DIR/key.pem: has no certificate: a PEM file has a block BEGIN CERTIFICATE for each
    ");
    assert!(read("none.pem").unwrap_err().contains("No such file"));
}

/// Takes the `# ` off lines of the manual that hold a section or key of a provider.
fn manual_with_providers() -> String {
    let uncomment = |line: &str| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = bare.starts_with("[providers.")
            || bare.starts_with("[watch.probes.")
            || bare.starts_with("[status.regions.")
            || bare
                .split_once(" = ")
                .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        if is_key { bare.to_owned() } else { line.to_owned() }
    };
    DEFAULTS.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_examples_in_the_manual_are_right() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let text = manual_with_providers()
        .replace("/run/secrets/mail", secret.to_str().unwrap())
        .replace("/run/secrets/twilio", secret.to_str().unwrap())
        .replacen("email = []", "email = [\"mail\"]", 1)
        .replacen("sms = []", "sms = [\"twilio\"]", 1)
        .replacen("voice = []", "voice = [\"twilio\"]", 1)
        .replacen("region = \"\"", "region = \"EMEA\"", 1);
    let config = read(&text).unwrap();
    assert_eq!(config.watch.probes.len(), 3);
    assert_eq!(config.status.regions[0].name, "North America");
    assert_eq!(config.channels.email[0].port, 587);
    assert_eq!(config.channels.sms[0].from, "+15550100");
}

#[test]
fn the_manual_has_every_key_that_is_read() {
    let mut entries = Entries::new();
    assert!(raw::add_toml(&mut entries, DEFAULTS, true).is_empty());
    let documented: Vec<String> = entries.keys().cloned().collect();
    let mut reader = Reader::new(entries, Vec::new(), PathBuf::new());
    assert!(super::read(&mut reader).is_ok());
    let read = reader.taken_keys();
    let undocumented: Vec<&String> =
        read.iter().filter(|key| !documented.contains(key) && !key.ends_with("_file")).collect();
    assert_eq!(undocumented, Vec::<&String>::new());
    assert_eq!(reader.finish(), []);
}

#[test]
fn every_key_of_the_manual_says_since_when_it_is_there() {
    let keys = DEFAULTS.lines().filter(|line| !line.starts_with('#') && line.contains(" = "));
    let since = DEFAULTS.lines().filter(|line| line.contains("Since ")).count();
    assert!(since * 2 > keys.count(), "a block of keys has no Since");
}

#[test]
fn operators_are_told_by_providers_of_their_own() {
    let text = r#"
[providers.other]
kind = "smtp"
host = "smtp.example.com"
from = "Bugle <bugle@example.com>"
[watch.operators]
smtp = ["other"]
email = ["ops@example.com"]
webhook = ["http://10.0.0.7/hook"]
[watch.heartbeat]
url = "https://hc.example.com/id"
"#;
    let watch = read(text).unwrap().watch;
    let operators = watch.operators.unwrap();
    assert_eq!((operators.to.len(), operators.channels.email.len()), (2, 1));
    assert_eq!(watch.heartbeat.unwrap().every, Duration::from_secs(30));
    assert!(!read("[watch]\nevery = \"0s\"").unwrap().watch.on);
    insta::assert_snapshot!(
        mistakes("[watch.operators]\nsms = [\"+15550100\"]\n[watch.probes.gone]\nsms = \"1\""),
        @r#"
    2 mistakes in bugle.toml
      line 2: watch.operators.sms: nobody is named who sends it: set smtp for mail, twilio for texts
      line 4: watch.probes.gone.sms: write the number with + and the country code, such as +4930123456 (8 to 15 digits)
    "#
    );
}

#[test]
fn regions_have_names_of_their_own_and_so_has_this_one() {
    let na = "[status.regions.na]\nname = \"North America\"\nurl = \"https://na.example/bugle\"\n";
    let status = read(&format!("[status]\nregion = \"EMEA\"\n{na}")).unwrap().status;
    assert_eq!(status.regions[0].url.as_str(), "https://na.example/bugle/");
    let other = "[status.regions.other]\nname = \"north america\"\nurl = \"ftp://na.example\"\n";
    let same = "[status.regions.same]\nname = \"north america\"\nurl = \"https://na.example\"\n";
    let with = |regions: &str| mistakes(&format!("[status]\nregion = \"EMEA\"\n{regions}"));
    assert!(mistakes(na).contains("line 2: status.regions.na.name: needs status.region"));
    assert!(with(&format!("{na}{other}")).contains("status.regions.other.url: must begin with"));
    let taken = "status.regions.same.name: is the name of another region";
    assert!(with(&format!("{na}{same}")).contains(taken));
    let region =
        |it| format!("[status.regions.r{it}]\nname = \"R{it}\"\nurl = \"https://x.example\"\n");
    let many: Vec<String> = (0..21).map(region).collect();
    assert!(with(&many.concat()).contains("is one more than the 20 that are read"));
}

#[test]
fn nobody_is_told_by_text_unless_it_is_said_for_which_numbers() {
    let texts = read("").unwrap().status.texts;
    assert_eq!((texts.prefixes.len(), texts.per_day, texts.codes_per_day), (0, 500, 50));
    let with = |texts: &str| format!("[status]\n{texts}\n");
    let said = read(&with("sms_prefixes = [\"+45\", \"+4620\"]\nsms_per_day = 200")).unwrap();
    assert_eq!(said.status.texts.prefixes, ["+45", "+4620"]);
    for prefix in ["45", "+", "+0", "+45a", "+12345678"] {
        let wrong = mistakes(&with(&format!("sms_prefixes = [\"{prefix}\"]")));
        assert!(wrong.contains("beginnings of numbers such as \"+45\""), "{prefix}: {wrong}");
    }
    for wrong in ["sms_per_day = 0", "sms_codes_per_day = 1000001"] {
        assert!(mistakes(&with(wrong)).contains("line 2: status.sms_"), "{wrong}");
    }
}

#[test]
fn codes_to_strangers_cannot_use_up_the_texts_of_subscribers() {
    let with = |per_day: u32, codes: u32| {
        format!(
            "[status]\nsms_prefixes = [\"+45\", \"+46\", \"+47\"]\nsms_per_day = {per_day}\n\
             sms_codes_per_day = {codes}\n"
        )
    };
    assert!(read(&with(300, 50)).is_ok(), "half of them");
    insta::assert_snapshot!(
        mistakes(&with(299, 50)),
        @r"
    1 mistake in bugle.toml
      line 2: status.sms_prefixes: 3 with 50 codes a day each (sms_codes_per_day) can take 150 of the 299 texts of a day; at most half may be codes: raise sms_per_day to 300, lower sms_codes_per_day, or name fewer
    "
    );
    assert!(read("[status]\nsms_per_day = 1").is_ok(), "nobody may ask");
}
