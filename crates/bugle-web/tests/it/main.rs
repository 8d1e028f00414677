//! The whole web interface, in process, on a database of its own.

mod callbacks;
mod intake;
mod world;
