//! What measuring and crashing share: a node run as a program, a load, and a sink that keeps
//! count.

pub(crate) mod api;
pub(crate) mod board;
pub(crate) mod load;
pub(crate) mod node;
pub(crate) mod proc;
pub(crate) mod sink;
pub(crate) mod stand;
mod tenant;
mod wire;
