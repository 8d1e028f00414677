//! The whole web interface, in process, on a database of its own.

#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod world;
