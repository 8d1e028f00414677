//! Parameters of statements, the same for both databases until the moment they are bound.

use jiff::Timestamp;
use rusqlite::Statement as Prepared;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, error::BoxDynError};
use uuid::Uuid;

use crate::db::statement::{Kind, Statement};

/// One parameter.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// An integer, a time in microseconds, or a flag.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
    /// An id.
    Id(Option<Uuid>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// Many rows at once; only as the last parameter.
    Rows(Rows),
}

impl Value {
    /// These are rows, and there are none.
    pub(crate) fn is_no_rows(&self) -> bool {
        matches!(self, Self::Rows(rows) if rows.is_empty())
    }
}

/// Many rows for one statement. Every row has as many values as the statement has columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    values: Vec<Value>,
    rows: usize,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn push<const N: usize>(&mut self, row: [Value; N]) {
        self.values.extend(row);
        self.rows += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows as one JSON text, `[[…],[…]]`, ids and bytes in hex.
    fn into_json(self) -> String {
        let width = self.values.len() / self.rows.max(1);
        let mut json = String::with_capacity(self.values.len() * 24 + 2);
        json.push('[');
        for (index, value) in self.values.iter().enumerate() {
            let first = width == 0 || index % width == 0;
            json.push_str(match (first, index) {
                (true, 0) => "[",
                (true, _) => "],[",
                (false, _) => ",",
            });
            write_json(&mut json, value);
        }
        json.push_str(if self.rows == 0 { "]" } else { "]]" });
        json
    }

    /// The rows as one array a column.
    fn into_columns(self, columns: &[(&str, Kind)], arguments: &mut PgArguments) -> Bound {
        let mut rest: Vec<Column> =
            columns.iter().map(|(_, kind)| Column::new(*kind, self.rows)).collect();
        let width = columns.len();
        for (index, value) in self.values.into_iter().enumerate() {
            rest[index % width].push(value)?;
        }
        rest.into_iter().try_for_each(|column| column.bind(arguments))
    }
}

type Bound = Result<(), BoxDynError>;

enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Id(Vec<Option<Uuid>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Int => Self::Int(Vec::with_capacity(rows)),
            Kind::Text => Self::Text(Vec::with_capacity(rows)),
            Kind::Id => Self::Id(Vec::with_capacity(rows)),
            Kind::Bytes => Self::Bytes(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, value: Value) -> Bound {
        match (self, value) {
            (Self::Int(column), Value::Int(value)) => column.push(value),
            (Self::Text(column), Value::Text(value)) => column.push(value.map(without_nul)),
            (Self::Id(column), Value::Id(value)) => column.push(value),
            (Self::Bytes(column), Value::Bytes(value)) => column.push(value),
            (_, value) => return Err(format!("a row has {value:?} in the wrong column").into()),
        }
        Ok(())
    }

    fn bind(self, arguments: &mut PgArguments) -> Bound {
        match self {
            Self::Int(column) => arguments.add(column),
            Self::Text(column) => arguments.add(column),
            Self::Id(column) => arguments.add(column),
            Self::Bytes(column) => arguments.add(column),
        }
    }
}

/// Binds `values` for SQLite.
pub(crate) fn bind_sqlite(
    prepared: &mut Prepared<'_>,
    values: Vec<Value>,
) -> Result<(), rusqlite::Error> {
    for (index, value) in (1..).zip(values) {
        match value {
            Value::Int(value) => prepared.raw_bind_parameter(index, value),
            Value::Text(value) => prepared.raw_bind_parameter(index, value.map(without_nul)),
            Value::Id(value) => {
                let bytes = value.as_ref().map(|id| &id.as_bytes()[..]);
                prepared.raw_bind_parameter(index, bytes)
            }
            Value::Bytes(value) => prepared.raw_bind_parameter(index, value),
            Value::Rows(rows) => prepared.raw_bind_parameter(index, rows.into_json()),
        }?;
    }
    Ok(())
}

/// Binds `values` for PostgreSQL, after those bound before.
pub(crate) fn bind_postgres(
    statement: &Statement,
    values: Vec<Value>,
    arguments: &mut PgArguments,
) -> Result<(), BoxDynError> {
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value)?,
            Value::Text(value) => arguments.add(value.map(without_nul))?,
            Value::Id(value) => arguments.add(value)?,
            Value::Bytes(value) => arguments.add(value)?,
            Value::Rows(rows) => rows.into_columns(statement.columns(), arguments)?,
        }
    }
    Ok(())
}

/// PostgreSQL's text cannot hold the character 0, and one sender must not spoil a whole batch.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn write_json(json: &mut String, value: &Value) {
    match value {
        Value::Int(Some(number)) => write_number(json, *number),
        Value::Text(Some(text)) => write_text(json, text),
        Value::Id(Some(id)) => {
            let mut buffer = [0; 32];
            json.push('"');
            json.push_str(id.as_simple().encode_lower(&mut buffer));
            json.push('"');
        }
        Value::Bytes(Some(bytes)) => write_hex(json, bytes),
        Value::Int(None)
        | Value::Text(None)
        | Value::Id(None)
        | Value::Bytes(None)
        | Value::Rows(_) => json.push_str("null"),
    }
}

fn write_number(json: &mut String, number: i64) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let _ = write!(json, "{number}");
}

fn write_hex(json: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    json.reserve(bytes.len() * 2 + 2);
    json.push('"');
    for byte in bytes {
        json.push(char::from(DIGITS[usize::from(byte >> 4)]));
        json.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    json.push('"');
}

fn write_text(json: &mut String, text: &str) {
    json.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0 => "\u{fffd}",
            1..=31 => "",
            _ => continue,
        };
        json.push_str(&text[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            json.push_str("\\u00");
            json.push(if byte < 16 { '0' } else { '1' });
            json.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        } else {
            json.push_str(escape);
        }
    }
    json.push_str(&text[plain..]);
    json.push('"');
}

macro_rules! from {
    ($($type:ty => $variant:ident, |$value:ident| $into:expr;)*) => { $(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                Self::$variant(Some($into))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(|$value| $into))
            }
        }
    )* };
}

from! {
    i64 => Int, |value| value;
    u32 => Int, |value| i64::from(value);
    u16 => Int, |value| i64::from(value);
    u8 => Int, |value| i64::from(value);
    i16 => Int, |value| i64::from(value);
    bool => Int, |value| i64::from(value);
    usize => Int, |value| i64::try_from(value).unwrap_or(i64::MAX);
    Timestamp => Int, |value| value.as_microsecond();
    String => Text, |value| value;
    &str => Text, |value| value.to_owned();
    &String => Text, |value| value.clone();
    Uuid => Id, |value| value;
    Vec<u8> => Bytes, |value| value;
    &[u8; 32] => Bytes, |value| value.to_vec();
}

macro_rules! from_ids {
    ($($id:ident)*) => { from! { $(bugle_domain::$id => Id, |value| value.as_uuid();)* } };
}

from_ids! {
    AlertId ApiKeyId AssistanceId BulletinId ClaimId EventId IncidentId IntegrationId MethodId
    NodeId NoticeId NotificationId PolicyId ServiceId SessionId StatusPageId SubscriberId TenantId
    UserId
}

impl From<Rows> for Value {
    fn from(rows: Rows) -> Self {
        Self::Rows(rows)
    }
}

/// The parameters of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::db::value::Value::from($value)),*]
    };
}

/// One row for [`Rows::push`].
macro_rules! row {
    ($($value:expr),* $(,)?) => {
        [$($crate::db::value::Value::from($value)),*]
    };
}

pub(crate) use {row, values};

#[cfg(test)]
mod tests;
