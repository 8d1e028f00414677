//! Statements: one text for both databases, with what differs marked in it.
//!
//! `{rows}` stands for the rows given as the last parameter, a table with the named columns;
//! `{pg:…}` is there on PostgreSQL only, `{lite:…}` on SQLite only. `{rows of events}` and
//! `{same:e}` stand for rows that name rows of a table by tenant and id, and for that they do; the
//! rows named must be held, or changed by nobody else. A further condition on them must not fit a
//! partial index of PostgreSQL, or that is read from end to end instead. `{any:e.id=id}` says
//! again, for PostgreSQL's planner, that a column is one of the rows'.
//!
//! Every statement of the crate is a static and listed in `registry`, from where a test prepares it
//! on both databases.

use std::fmt::Write;
use std::sync::OnceLock;

/// Which SQL is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// What a column of `{rows}` holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Int,
    Text,
    Id,
    Bytes,
}

/// Begins a query with `heads`, the tenants of which a table has a row like this, in order: a walk
/// along an index from tenant to tenant, whose cost is the number of tenants and not of rows. Takes
/// the table with its alias and index, the condition, the column, how the index goes on after it,
/// and from where to walk.
macro_rules! heads {
    ($from:literal, $like:literal, $tenant:literal, $then:literal, $start:literal) => {
        concat!(
            "WITH RECURSIVE heads(tenant_id) AS (
                 SELECT (SELECT ",
            $tenant,
            " FROM ",
            $from,
            " WHERE ",
            $like,
            $start,
            " ORDER BY ",
            $tenant,
            ", ",
            $then,
            " LIMIT 1)
                 UNION ALL
                 SELECT (SELECT ",
            $tenant,
            " FROM ",
            $from,
            " WHERE ",
            $like,
            " AND ",
            $tenant,
            " > heads.tenant_id ORDER BY ",
            $tenant,
            ", ",
            $then,
            " LIMIT 1)
                 FROM heads WHERE heads.tenant_id IS NOT NULL
             )"
        )
    };
}
pub(crate) use heads;

/// A statement.
#[derive(Debug)]
pub(crate) struct Statement {
    text: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// Parameters before the rows.
    scalars: usize,
    filters: bool,
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

impl Statement {
    /// A statement without `{rows}`.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self::with_rows(text, 0, &[])
    }

    /// A statement over many rows, given after `scalars` other parameters.
    pub(crate) const fn with_rows(
        text: &'static str,
        scalars: usize,
        columns: &'static [(&'static str, Kind)],
    ) -> Self {
        Self {
            text,
            columns,
            scalars,
            filters: false,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// The same, with conditions that hold only where their parameter is given: which way through
    /// the tables is best depends on which are, so PostgreSQL is to look for it each time.
    pub(crate) const fn filtering(mut self) -> Self {
        self.filters = true;
        self
    }

    /// Whether the best plan depends on the parameters.
    pub(crate) fn filters(&self) -> bool {
        self.filters
    }

    /// The columns of `{rows}`.
    pub(crate) fn columns(&self) -> &'static [(&'static str, Kind)] {
        self.columns
    }

    /// The text that `dialect` understands.
    pub(crate) fn sql(&'static self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite.get_or_init(|| self.expand(dialect)),
            Dialect::Postgres => self.postgres.get_or_init(|| self.expand(dialect)),
        }
    }

    fn expand(&self, dialect: Dialect) -> String {
        let mut sql = String::with_capacity(self.text.len() + 256);
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once('{') {
            let (mark, tail) = after.split_once('}').unwrap_or((after, ""));
            sql.push_str(before);
            if mark == "rows" {
                sql.push_str(&self.source(dialect));
            } else if let Some(table) = mark.strip_prefix("rows of ") {
                sql.push_str(&self.places(dialect, table));
            } else if let Some(alias) = mark.strip_prefix("same:") {
                // Writing to a String cannot fail.
                let _ = match dialect {
                    Dialect::Sqlite => {
                        write!(sql, "{alias}.tenant_id = r.tenant_id AND {alias}.id = r.id")
                    }
                    Dialect::Postgres => write!(sql, "{alias}.ctid = r.place"),
                };
            } else if let Some(text) = mark.strip_prefix("pg:") {
                sql.push_str(if dialect == Dialect::Postgres { text } else { "" });
            } else if let Some((column, name)) =
                mark.strip_prefix("any:").and_then(|mark| mark.split_once('='))
            {
                sql.push_str(&self.any(dialect, column, name));
            } else if let Some(text) = mark.strip_prefix("lite:") {
                sql.push_str(if dialect == Dialect::Sqlite { text } else { "" });
            }
            rest = tail;
        }
        sql.push_str(rest);
        match dialect {
            // There `$1` is a name, and `?1` a place.
            Dialect::Sqlite => sql.replace('$', "?"),
            Dialect::Postgres => sql,
        }
    }

    /// The rows, each with the place of what it names in a table. PostgreSQL's planner then has one
    /// way to carry an update out: look each up by its key. Left to itself it may go through all
    /// that waits, for each row, because at the time of its statistics nothing waited.
    fn places(&self, dialect: Dialect, table: &str) -> String {
        let rows = self.source(dialect);
        match dialect {
            Dialect::Sqlite => rows,
            Dialect::Postgres => format!(
                "(SELECT r.*, found.ctid AS place FROM {rows} CROSS JOIN LATERAL (SELECT t.ctid \
                 FROM {table} t WHERE t.tenant_id = r.tenant_id AND t.id = r.id LIMIT 1) AS found) \
                 AS r"
            ),
        }
    }

    /// A condition that is implied by the join with the rows, so that PostgreSQL reads no more of a
    /// large table than the rows name, whatever order of joining it thinks best.
    fn any(&self, dialect: Dialect, column: &str, name: &str) -> String {
        let place = self.columns.iter().position(|(of, _)| *of == name);
        match (dialect, place) {
            (Dialect::Postgres, Some(place)) => {
                let array = match self.columns[place].1 {
                    Kind::Int => "bigint[]",
                    Kind::Text => "text[]",
                    Kind::Id => "uuid[]",
                    Kind::Bytes => "bytea[]",
                };
                format!(" AND {column} = ANY(${}::{array})", self.scalars + 1 + place)
            }
            (Dialect::Sqlite, _) | (Dialect::Postgres, None) => String::new(),
        }
    }

    /// The rows as a table named `r`. `jsonb_each` gives each row in binary form: with `json_each`
    /// it would be written and read again as text for each column.
    fn source(&self, dialect: Dialect) -> String {
        let mut sql = String::new();
        let mut names = String::new();
        for (index, (name, kind)) in self.columns.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let parameter = self.scalars + 1 + index;
            // Writing to a String cannot fail.
            let _ = match (dialect, kind) {
                (Dialect::Sqlite, Kind::Int | Kind::Text) => {
                    write!(sql, "{comma}value->>{index} AS {name}")
                }
                (Dialect::Sqlite, Kind::Id | Kind::Bytes) => {
                    write!(sql, "{comma}unhex(value->>{index}) AS {name}")
                }
                (Dialect::Postgres, Kind::Int) => write!(sql, "{comma}${parameter}::bigint[]"),
                (Dialect::Postgres, Kind::Text) => write!(sql, "{comma}${parameter}::text[]"),
                (Dialect::Postgres, Kind::Id) => write!(sql, "{comma}${parameter}::uuid[]"),
                (Dialect::Postgres, Kind::Bytes) => write!(sql, "{comma}${parameter}::bytea[]"),
            };
            let _ = write!(names, "{comma}{name}");
        }
        let first = self.scalars + 1;
        match dialect {
            Dialect::Sqlite => format!("(SELECT {sql} FROM jsonb_each(${first})) AS r"),
            Dialect::Postgres => format!("UNNEST({sql}) AS r({names})"),
        }
    }
}

/// Statements that write, none of which needs to see what another of them does. PostgreSQL is a
/// round trip away, and is sent them as one; SQLite is not, and runs one after the other.
#[derive(Debug)]
pub(crate) struct Together<const N: usize> {
    parts: [&'static Statement; N],
    postgres: OnceLock<String>,
}

impl<const N: usize> Together<N> {
    /// These statements, which return nothing.
    pub(crate) const fn new(parts: [&'static Statement; N]) -> Self {
        Self { parts, postgres: OnceLock::new() }
    }

    /// The statements, in order.
    pub(crate) fn parts(&self) -> &[&'static Statement; N] {
        &self.parts
    }

    /// PostgreSQL's one statement. It gives a row with how many rows each part changed.
    pub(crate) fn sql(&'static self) -> &'static str {
        self.postgres.get_or_init(|| {
            let (mut with, mut counts, mut parameters) = (String::new(), String::new(), 0);
            for (index, part) in self.parts.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let text = renumbered(part.sql(Dialect::Postgres), parameters);
                // Writing to a String cannot fail.
                let _ = write!(with, "{comma}part{index} AS ({text} RETURNING 1)");
                let _ = write!(counts, "{comma}(SELECT COUNT(*) FROM part{index})");
                parameters += part.scalars + part.columns.len();
            }
            format!("WITH {with} SELECT {counts}")
        })
    }
}

/// `$n` becomes `$(n + by)`.
fn renumbered(sql: &str, by: usize) -> String {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let number: usize = number.parse().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(out, "${}{rest}", number + by);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    static EXAMPLE: Statement = Statement::with_rows(
        "SELECT r.id FROM {rows} WHERE r.n > $1{pg: FOR UPDATE}{lite: -- lite}",
        1,
        &[("id", Kind::Id), ("n", Kind::Int)],
    );

    #[test]
    fn one_text_becomes_two_dialects() {
        assert_eq!(
            EXAMPLE.sql(Dialect::Sqlite),
            "SELECT r.id FROM (SELECT unhex(value->>0) AS id, value->>1 AS n FROM \
             jsonb_each(?2)) AS r WHERE r.n > ?1 -- lite"
        );
        assert_eq!(
            EXAMPLE.sql(Dialect::Postgres),
            "SELECT r.id FROM UNNEST($2::uuid[], $3::bigint[]) AS r(id, n) WHERE r.n > $1 FOR \
             UPDATE"
        );
    }
    static FIRST: Statement =
        Statement::with_rows("INSERT INTO a (id) SELECT r.id FROM {rows}", 0, &[("id", Kind::Id)]);
    static SECOND: Statement = Statement::new("UPDATE b SET n = $2 WHERE id = $1");
    static BOTH: Together<2> = Together::new([&FIRST, &SECOND]);

    #[test]
    fn parts_become_one_statement_with_parameters_in_order() {
        assert_eq!(
            BOTH.sql(),
            "WITH part0 AS (INSERT INTO a (id) SELECT r.id FROM UNNEST($1::uuid[]) AS r(id) \
             RETURNING 1), part1 AS (UPDATE b SET n = $3 WHERE id = $2 RETURNING 1) SELECT (SELECT \
             COUNT(*) FROM part0), (SELECT COUNT(*) FROM part1)"
        );
    }
}
