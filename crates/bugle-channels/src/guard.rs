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

/// The IPv4 address that an IPv6 address stands for: v4-compatible, v4-mapped, v4-translated,
/// NAT64, 6to4.
fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [head @ .., high, low] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match head {
        [0, 0, 0, 0, 0, 0] if high != 0 => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IANA, *IPv4 Special-Purpose Address Registry*, read 2026-11: what is not globally reachable.
/// In this order: this network, private use, loopback, multicast and all above; shared by carriers
/// (100.64/10); link-local, where clouds keep their metadata; private use, twice; protocol
/// assignments and documentation; 6to4 relays; benchmarking; documentation, twice.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// IANA, *IPv6 Special-Purpose Address Registry*, read 2026-11: only 2000::/3 is global unicast,
/// without Teredo, benchmarking, ORCHID and the rest of 2001::/23, and without documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let special = matches!((a, b), (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff));
    (a & 0xe000) == 0x2000 && !special
}

#[cfg(test)]
mod tests;
