//! Texts into values, value by value.

use crate::blueprint::San;
use crate::profile::values::*;

#[test]
fn addresses_are_read_as_kubeadm_reads_them() {
    for (text, expected) in [
        ("10.0.0.11", Some("10.0.0.11")),
        ("010.000.0.011", Some("10.0.0.11")),
        ("::ffff:10.0.0.1", Some("10.0.0.1")),
        ("FD00::1", Some("fd00::1")),
        ("2001:db8:0:0:0:0:0:1", Some("2001:db8::1")),
        ("10.0.0.256", None),
        ("10.0.0", None),
        ("10.0.0.1.1", None),
        ("10.0.0.+1", None),
        ("fe80::1%eth0", None),
        ("[::1]", None),
        (" 10.0.0.1", None),
        ("", None),
    ] {
        assert_eq!(address(text).ok().map(|a| a.to_string()).as_deref(), expected, "{text}");
    }
}

#[test]
fn names_are_lower_case_subdomains() {
    let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    for (text, good) in [
        ("a", true),
        ("cp1.example.com", true),
        ("1", true),
        ("xn--bcher-kva.example", true),
        (longest.as_str(), true),
        (&format!("{longest}b"), false),
        (&"a".repeat(64), false),
        ("A", false),
        ("a_b", false),
        ("-a", false),
        ("a-", false),
        ("a..b", false),
        ("a.", false),
        ("", false),
        ("bücher", false),
        ("10.0.0.300", false),
    ] {
        assert_eq!(subdomain(text).is_ok(), good, "{text}");
    }
    assert_eq!(san("*.example.com"), Ok(San::Dns("*.example.com".to_owned())));
    for bad in ["*", "*.", "*.*.a", "a.*.b", "a b", "https://a", "a/b", "*.10.0.0.1"] {
        assert!(san(bad).is_err(), "{bad}");
    }
}

#[test]
fn endpoints_are_split_as_kubeadm_splits_them() {
    for (text, expected) in [
        ("lb", Some(("lb", None))),
        ("lb.example.com:6443", Some(("lb.example.com", Some(6443)))),
        ("10.0.0.1:65535", Some(("10.0.0.1", Some(65535)))),
        ("[fd00::1]:8443", Some(("fd00::1", Some(8443)))),
        ("fd00::1", Some(("fd00::1", None))),
        ("[fd00::1]", None),
        ("[10.0.0.1]:1", None),
        ("lb:", None),
        ("lb:0", None),
        ("lb:65536", None),
        ("lb:+1", None),
        ("lb:1:2", None),
        (":6443", None),
        ("*.lb:6443", None),
        ("https://lb:6443", None),
        ("", None),
    ] {
        let found = endpoint(text).ok().map(|endpoint| (endpoint.host.to_string(), endpoint.port));
        assert_eq!(found.as_ref().map(|(host, port)| (host.as_str(), *port)), expected, "{text}");
    }
}

#[test]
fn subnets_lose_their_host_bits() {
    for (text, expected) in [
        ("10.96.0.0/12", "10.96.0.0/12"),
        ("10.97.1.2/12", "10.96.0.0/12"),
        ("fd00:10:96::1/112", "fd00:10:96::/112"),
        ("10.0.0.0/28", "10.0.0.0/28"),
        ("10.96.0.0/16, fd00::/108", "10.96.0.0/16 fd00::/108"),
        ("10.96.0.0/29", ""),
        ("10.96.0.0/11", ""),
        ("fd00::/107", ""),
        ("0.0.0.0/0", ""),
        ("10.96.0.0/33", ""),
        ("10.96.0.0/+12", ""),
        ("10.96.0.0/16,", ""),
        ("/12", ""),
    ] {
        let found = service_subnets(text).unwrap_or_default();
        let found: Vec<String> = found.iter().map(|subnet| format!("{}/{}", subnet.network, subnet.prefix)).collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }
}

#[test]
fn permitted_names_are_subtrees_and_blocks() {
    for (text, expected) in [
        ("cluster.local", Some("cluster.local")),
        (".example.com", Some(".example.com")),
        ("10.1.2.3/8", Some("10.0.0.0/8")),
        ("10.1.2.3", Some("10.1.2.3/32")),
        ("::1", Some("::1/128")),
        ("fd00::1/8", Some("fd00::/8")),
        ("*.example.com", None),
        ("..com", None),
        (".", None),
        ("", None),
        ("Example.com", None),
        ("10.0.0.300", None),
        ("10.0.0.0/33", None),
        ("a/8", None),
        ("10.0.0.0/", None),
    ] {
        assert_eq!(permitted_name(text).ok().map(|subtree| subtree.to_string()).as_deref(), expected, "{text}");
    }
}

#[test]
fn windows_urls_and_paths() {
    for (text, good) in
        [("1%", true), ("99%", true), ("0%", false), ("100%", false), ("+5%", false), ("5.5%", false), ("30d", true)]
    {
        assert_eq!(threshold(text).is_ok(), good, "{text}");
    }
    for (text, good) in [
        ("https://10.0.0.21:2379", true),
        ("https://[fd00::1]:2379/", true),
        ("https://[fd00::1]", true),
        ("http://etcd", true),
        ("https://", false),
        ("https://[10.0.0.1]", false),
        ("https://fd00::1", false),
        ("https://a/b", false),
        ("https://u@a", false),
        ("etcd:2379", false),
    ] {
        assert_eq!(url(text).is_ok(), good, "{text}");
    }
    for (text, good) in
        [("/a/b.c", true), ("/a/..b", true), ("a", false), ("/a/..", false), ("/a\n", false), ("", false)]
    {
        assert_eq!(absolute_path(text).is_ok(), good, "{text}");
    }
}
