//! The reference of all commands as Markdown, made from their definition.

use std::fmt::Write as _;

use clap::CommandFactory;

use super::Cli;

const HEAD: &str = "\
# Command line

Made from the program by `bugle reference > docs/cli.md`; edit `crates/bugle/src/cli.rs`, not this.

Commands that talk to a server find it by `--server`, `BUGLE_SERVER`, or the profile that
`bugle login` saved, and the key by `BUGLE_API_KEY` or the profile: a key is never a flag.

Output is an aligned table on a terminal, tab-separated without a head in a pipe, and one JSON value
with `--json`. Colours are off in pipes, with `NO_COLOR`, and where `TERM` is `dumb`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage, or a wrong configuration |
| 3 | not found |
| 4 | login needed |
| 5 | refused |
| 6 | done, but something needs attention |
";

/// Writes the reference.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let mut cli = Cli::command().term_width(96);
    cli.build();
    for command in cli.get_subcommands_mut() {
        if command.is_hide_set() || command.get_name() == "help" {
            continue;
        }
        let name = command.get_name().to_owned();
        let help = command.render_help().to_string();
        let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## bugle {name}\n\n```\n{}\n```\n", help.join("\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_what_the_program_says() {
        let written = include_str!("../../../../docs/cli.md");
        assert!(markdown() == written, "run: cargo run -- reference > docs/cli.md");
    }
}
