//! `demo`: the same server with a sample company and simulated phones.
mod company;
mod rota;
