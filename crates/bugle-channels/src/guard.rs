//! Which addresses a webhook may lead to: public ones, and what the operator allows by range.
//!
//! Applied to literal addresses before a request, and to every address that a name resolves to
//! when a connection is made; the connection then goes to the address that was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// The target lies where webhooks may not lead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the address is not public (the operator can allow a range)")]
pub struct Blocked;

/// Decides where webhooks may lead.
#[derive(Clone, Debug, Default)]
pub struct TargetGuard {
    allow: Vec<IpNet>,
}

impl TargetGuard {
    /// Public addresses, and those within `allow`.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self { allow }
    }

    /// Whether `address` may be connected to.
    pub fn permits(&self, address: IpAddr) -> bool {
        let plain = embedded_v4(address).map_or(address, IpAddr::V4);
        let allowed = |range: &IpNet| range.contains(&plain) || range.contains(&address);
        is_public(plain) || self.allow.iter().any(allowed)
    }

    /// Checks what can be known of `url` without asking anybody: a literal address. A name is
    /// checked when it is resolved.
    ///
    /// # Errors
    ///
    /// [`Blocked`].
    pub fn check(&self, url: &Url) -> Result<(), Blocked> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(Blocked),
        };
        if self.permits(address) { Ok(()) } else { Err(Blocked) }
    }
}

/// The IPv4 address that an IPv6 address stands for: v4-mapped, v4-compatible, NAT64, 6to4.
fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, c, d, e, f, high, low] = address.segments();
    let tail = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0] if high != 0 => Some(tail),
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            Some(tail)
        }
        [0x2002, ..] => Some(Ipv4Addr::from((u32::from(b) << 16) | u32::from(c))),
        _ => None,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IANA, *IPv4 Special-Purpose Address Registry*: everything that is not globally reachable.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private use, loopback; multicast, reserved, broadcast.
        (0 | 10 | 127 | 224..=255, ..) => true,
        // Shared by carriers (100.64/10).
        (100, 64..=127, _) => true,
        // Link-local, where clouds keep their metadata.
        (169, 254, _) => true,
        // Private use.
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, 6to4 relays, benchmarking.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) => true,
        (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !special
}

/// IANA, *IPv6 Special-Purpose Address Registry*: only 2000::/3 is global unicast.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global_unicast = (a & 0xe000) == 0x2000;
    let special = match (a, b) {
        // Teredo, benchmarking, ORCHID and the rest of 2001::/23; documentation.
        (0x2001, 0..=0x1ff | 0xdb8) => true,
        (0x3fff, 0..=0xfff) => true,
        _ => false,
    };
    global_unicast && !special
}

#[cfg(test)]
mod tests;
