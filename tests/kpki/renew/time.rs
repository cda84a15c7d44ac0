//! Other days: leap days, the change of the time format in 2050, clocks that are wrong.

use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::harness::Place;
use super::{fixture, made, renew_at};

/// not before and not after: seconds since 1970, and whether they are GeneralizedTime.
fn dates(place: &Place, name: &str) -> [(i64, bool); 2] {
    let pem = pem::parse(place.read(&format!("k8s/{name}"))).unwrap();
    let (_, certificate) = X509Certificate::from_der(pem.contents()).unwrap();
    let validity = certificate.validity();
    [validity.not_before, validity.not_after].map(|time| (time.timestamp(), time.is_generalizedtime()))
}

/// RFC 5280 section 4.1.2.5: through 2049 as UTCTime, from 2050 on as GeneralizedTime.
#[test]
fn the_time_format_changes_with_2050() {
    let place = made("caCertificateValidityPeriod: 40y\n");
    let year = 365 * 86_400;
    for (at, unix, general) in [
        ("2048-06-01T00:00:00Z", 2_474_582_400_i64, [false, false]),
        ("2048-12-31T23:59:59Z", 2_493_071_999, [false, false]),
        ("2049-01-01T00:00:00Z", 2_493_072_000, [false, true]),
        ("2049-12-31T23:59:59Z", 2_524_607_999, [false, true]),
        ("2050-01-01T00:04:59Z", 2_524_608_299, [false, true]),
        ("2050-01-01T00:05:00Z", 2_524_608_300, [true, true]),
        ("2060-01-01T00:00:00Z", 2_840_140_800, [true, true]),
    ] {
        renew_at(&place, at, &["apiserver"]).ok();
        let [from, to] = dates(&place, "pki/apiserver.crt");
        assert_eq!([from.0, to.0], [unix - 300, unix + year], "{at}");
        assert_eq!([from.1, to.1], general, "{at}");
    }
}

#[test]
fn leap_days_are_days() {
    for (at, wanted) in [
        ("2028-02-28T12:00:00Z", "2029-02-27T12:00:00Z"),
        ("2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z"),
        ("2028-03-01T00:00:00Z", "2029-03-01T00:00:00Z"),
        ("2027-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("2027-02-28T23:59:59Z", "2028-02-28T23:59:59Z"),
    ] {
        let place = fixture("v1.36-ha-ecdsa-cp1");
        let run = renew_at(&place, at, &["apiserver", "-o", "json"]).ok().json();
        assert_eq!(run["trees"][0]["entries"][0]["new"]["expirationDate"], wanted, "{at}");
    }
}

#[test]
fn near_its_authority_s_end_a_certificate_is_cut_and_then_left() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let run = renew_at(&place, "2036-01-01", &["all"]).warns();
    assert!(run.stderr.contains("shortened to the authority's notAfter 2036-11-17T21:06:20Z"), "{}", run.stderr);
    // Inside its window, but there is nothing to gain: told on every run, done on none.
    for _ in 0..2 {
        let run = renew_at(&place, "2036-11-01", &["all", "--due"]).status(5);
        assert!(run.stdout.starts_with("nothing was renewed"), "{}", run.stdout);
        assert!(run.stdout.contains("renew the authority first: kpki renew etcd-ca --dir k8s"), "{}", run.stdout);
    }
}
