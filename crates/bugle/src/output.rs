//! What a command writes: tables for people, tab-separated lines for pipes, JSON for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::environment::Environment;

/// A colour that carries a state. The word is always written too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Nothing to note.
    Plain,
    /// Good.
    Good,
    /// Needs attention.
    Warn,
    /// Bad.
    Bad,
    /// Less important.
    Dim,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "1;31",
            Self::Dim => "2",
        }
    }
}

/// One cell of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a colour.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// Rows under a head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, which has a cell for each word of the head.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// How to write, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// One JSON value instead of words.
    pub json: bool,
    /// Aligned tables with a head, instead of tab-separated lines.
    pub aligned: bool,
    /// Colours.
    pub colour: bool,
}

impl Output {
    /// As the surroundings and the flag `--json` ask for.
    pub fn new(json: bool, environment: &Environment) -> Self {
        Self { json, aligned: environment.terminal_out, colour: environment.colour() }
    }

    /// Writes a line for a person or a pipe.
    pub fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")
    }

    /// Writes a line to standard error, beside the result.
    pub fn remark(self, text: &str) -> io::Result<()> {
        let mut out = io::stderr().lock();
        writeln!(out, "{text}")
    }

    /// Writes a table.
    pub fn table(self, table: &Table) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(self.render(table).as_bytes())
    }

    /// Writes a value as JSON.
    pub fn value(self, value: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, value)?;
        writeln!(out)
    }

    /// A text in a colour, if colours are on.
    pub fn paint(self, text: &str, tone: Tone) -> String {
        if self.colour && tone != Tone::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    fn render(self, table: &Table) -> String {
        let mut text = String::new();
        if !self.aligned {
            for row in &table.rows {
                let cells: Vec<String> = row.iter().map(|cell| flat(&cell.text)).collect();
                text.push_str(&cells.join("\t"));
                text.push('\n');
            }
            return text;
        }
        let widths = widths(table);
        let head: Vec<Cell> =
            table.head.iter().map(|word| Cell::toned(word.to_uppercase(), Tone::Dim)).collect();
        for row in std::iter::once(&head).chain(&table.rows) {
            text.push_str(self.aligned_row(row, &widths).trim_end());
            text.push('\n');
        }
        text
    }

    fn aligned_row(self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let cell_text = flat(&cell.text);
            let room = width.saturating_sub(cell_text.chars().count());
            line.push_str(&self.paint(&cell_text, cell.tone));
            line.push_str(&" ".repeat(room + 2));
        }
        line
    }
}

/// Text without line breaks and tabs, which would break the rows.
fn flat(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

fn widths(table: &Table) -> Vec<usize> {
    let mut widths: Vec<usize> = table.head.iter().map(|word| word.chars().count()).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&["alert", "state"]);
        table.row(vec!["#12".into(), Cell::toned("open", Tone::Bad)]);
        table.row(vec!["#4812".into(), "two\nlines".into()]);
        table
    }

    #[test]
    fn people_get_an_aligned_table() {
        let output = Output { json: false, aligned: true, colour: false };
        insta::assert_snapshot!(output.render(&sample()), @r"
        ALERT  STATE
        #12    open
        #4812  two lines
        ");
    }

    #[test]
    fn pipes_get_tabs_and_no_head() {
        let output = Output { json: false, aligned: false, colour: false };
        assert_eq!(output.render(&sample()), "#12\topen\n#4812\ttwo lines\n");
    }
}
