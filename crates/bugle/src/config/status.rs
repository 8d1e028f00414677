//! The section `[status]`: what the public is told, and where it is written.

use std::path::PathBuf;
use std::time::Duration;

use bugle_app::status::{OtherRegion, Texts};
use bugle_engine::status::board::slug;

use super::reader::{Noted, Reader};
use super::value::{self, Problem, Value};
use super::{DAY, MINUTE};

/// Other regions, and characters of the name of each.
const MAX_REGIONS: usize = 20;
const MAX_NAME: usize = 60;

/// Most texts of a day, and digits of the beginning of a number.
const MAX_TEXTS: u32 = 1_000_000;
const MAX_PREFIX_DIGITS: usize = 7;

/// What the public is told.
#[derive(Clone, Debug)]
pub struct Status {
    /// Whose page it is.
    pub name: String,
    /// What its components are grouped under; empty: nothing.
    pub region: String,
    /// The installations of other regions.
    pub regions: Vec<OtherRegion>,
    /// Updates are never further apart, 1 min – 1 d.
    pub update_every: Duration,
    /// Whether, and to which numbers, subscribers are told by text.
    pub texts: Texts,
    /// Where its files are written. `None`: `status` in the data directory.
    pub folder: Option<PathBuf>,
}

/// Reads it.
pub(super) fn status(reader: &mut Reader) -> Result<Status, Noted> {
    let name = reader.take("status.name", value::some_text);
    let region = reader.take("status.region", value::text);
    let regions = regions(reader, region.as_deref().unwrap_or_default());
    let update_every = super::duration(reader, "status.update_every", MINUTE..=DAY);
    let texts = texts(reader);
    let folder = reader.take_path("status.folder");
    Ok(Status {
        name: name?,
        region: region?,
        regions: regions?,
        update_every: update_every?,
        texts: texts?,
        folder: folder?,
    })
}

fn texts(reader: &mut Reader) -> Result<Texts, Noted> {
    let prefixes = reader.take("status.sms_prefixes", prefixes);
    let count = |value: &Value| value::count(value, 1..=MAX_TEXTS);
    let per_day = reader.take("status.sms_per_day", count);
    let codes_per_day = reader.take("status.sms_codes_per_day", count);
    let texts = Texts { prefixes: prefixes?, per_day: per_day?, codes_per_day: codes_per_day? };
    let Some(problem) = used_up(&texts) else { return Ok(texts) };
    let key = "status.sms_prefixes";
    let origin = reader.origin_of(key);
    Err(reader.note(key, origin, &problem))
}

/// Codes to strangers must leave half of the texts to those who are told.
fn used_up(Texts { prefixes, per_day, codes_per_day }: &Texts) -> Option<String> {
    let count = prefixes.len();
    let codes = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul((*codes_per_day).into());
    let half = u64::from(*per_day) / 2;
    (codes > half).then(|| {
        format!(
            "{count} with {codes_per_day} codes a day each (sms_codes_per_day) can take {codes} of \
             the {per_day} texts of a day; at most half may be codes: raise sms_per_day to {}, \
             lower sms_codes_per_day, or name fewer",
            codes.saturating_mul(2)
        )
    })
}

fn prefixes(value: &Value) -> Result<Vec<String>, Problem> {
    let prefixes = value::list(value)?;
    for prefix in &prefixes {
        let digits = prefix.strip_prefix('+').unwrap_or_default();
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        if !plain || !(1..=MAX_PREFIX_DIGITS).contains(&digits.len()) {
            return Err(format!("must hold beginnings of numbers such as \"+45\", not {prefix:?}"));
        }
    }
    Ok(prefixes)
}

/// Reads `[status.regions.NAME]`.
fn regions(reader: &mut Reader, own: &str) -> Result<Vec<OtherRegion>, Noted> {
    let mut slugs = vec![slug(own)];
    let mut all = Vec::new();
    let mut sound = Ok(());
    for key in reader.names_under("status.regions") {
        let region = region(reader, &format!("status.regions.{key}"));
        let Ok(region) = region else {
            sound = Err(Noted);
            continue;
        };
        let name = format!("status.regions.{key}.name");
        let problem = match () {
            () if own.is_empty() => "needs status.region: what this one is called",
            () if slugs.contains(&slug(&region.name)) => "is the name of another region",
            () if all.len() >= MAX_REGIONS => "is one more than the 20 that are read",
            () => {
                slugs.push(slug(&region.name));
                all.push(region);
                continue;
            }
        };
        let origin = reader.origin_of(&name);
        sound = Err(reader.note(&name, origin, problem));
    }
    sound.map(|()| all)
}

fn region(reader: &mut Reader, section: &str) -> Result<OtherRegion, Noted> {
    let name = reader.take(&format!("{section}.name"), region_name);
    let url = reader.take(&format!("{section}.url"), value::base_url);
    let mut url = url?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(OtherRegion { name: name?, url })
}

fn region_name(value: &Value) -> Result<String, Problem> {
    let name = value::some_text(value)?;
    if name.chars().count() > MAX_NAME {
        return Err(format!("must have at most {MAX_NAME} characters"));
    }
    Ok(name)
}
