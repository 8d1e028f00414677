//! A table of URLs, most of which try to lead where webhooks may not lead.

use super::*;

/// Whether the literal address in `url` may be connected to; `None` where it is no URL at all or
/// has a name, which is checked when it is resolved.
fn literal(url: &str) -> Option<bool> {
    let url = Url::parse(url).ok()?;
    let is_literal = matches!(url.host()?, Host::Ipv4(_) | Host::Ipv6(_));
    is_literal.then(|| TargetGuard::default().check(&url).is_ok())
}

#[test]
fn what_is_not_public_is_refused_however_it_is_spelled() {
    let refused = [
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/x",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.255.255.254/",
        "http://0/",
        "http://0.0.0.0/",
        "http://0.1.2.3/",
        "http://10.0.0.1/",
        "http://10.255.255.255/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://3232235777/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://169.254.170.2/",
        "http://100.64.0.1/",
        "http://100.100.100.200/",
        "http://100.127.255.255/",
        "http://192.0.0.192/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://198.51.100.7/",
        "http://203.0.113.7/",
        "http://192.88.99.1/",
        "http://224.0.0.1/",
        "http://239.255.255.255/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http://[::]/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[2001::1]/",
        "http://[2001:db8::1]/",
        "http://[3fff::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[febf::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://[100::1]/",
        "http://[5f00::1]/",
    ];
    for url in refused {
        assert_eq!(literal(url), Some(false), "{url}");
    }
}

#[test]
fn public_addresses_are_permitted() {
    let permitted = [
        "http://1.1.1.1/",
        "http://9.255.255.255/",
        "http://11.0.0.1/",
        "http://100.63.255.255/",
        "http://100.128.0.1/",
        "http://172.15.255.255/",
        "http://172.32.0.1/",
        "http://192.167.255.255/",
        "http://223.255.255.255/",
        "https://[2606:4700:4700::1111]/",
        "http://[::ffff:1.1.1.1]/",
        "http://[64:ff9b::1.1.1.1]/",
    ];
    for url in permitted {
        assert_eq!(literal(url), Some(true), "{url}");
    }
}

#[test]
fn names_wait_until_they_are_resolved() {
    for url in ["http://localhost/", "http://127.0.0.1.nip.example/", "http://metadata.internal/"] {
        assert_eq!(literal(url), None, "{url}");
    }
}

#[test]
fn a_range_that_the_operator_allows_is_permitted_in_every_spelling() {
    let guard = TargetGuard::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    let check = |url: &str| guard.check(&Url::parse(url).unwrap()).is_ok();
    assert!(check("http://10.1.2.3/"));
    assert!(check("http://[::ffff:10.1.2.3]/"));
    assert!(check("http://[fd12::1]/"));
    assert!(!check("http://10.2.0.1/"));
    assert!(!check("http://[fc12::1]/"));
    assert!(!check("http://127.0.0.1/"));
}
