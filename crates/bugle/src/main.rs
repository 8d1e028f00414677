//! The program `bugle`. Everything is in the library beside it, so that tests can use it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    bugle::run()
}
