//! Vectors of path validation in the form of `fixtures/pkits/README.md`, put before the validator that the commands use.

use std::fs;
use std::path::PathBuf;

use kpki::blueprint::Oid;
use kpki::x509::path::{Dates, Links, Revocation, ValidationInput, validate};
use kpki::x509::policies::PolicyInput;
use kpki::x509::revocation::Strictness;
use kpki::x509::{Certificate, CrlLookup, ParseError, Wanted};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use super::harness::repository;

/// Every certificate of the suites that is meant to be valid is so until 2030.
const AT: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

#[derive(Clone)]
pub struct Vector {
    pub name: String,
    /// From the anchor down to the leaf, further ones between them. One that cannot be read at all is refused with its path.
    pub certificates: Result<Vec<Certificate>, ParseError>,
    pub lists: Vec<Vec<u8>>,
    pub acceptable: Vec<Oid>,
    pub explicit: bool,
    pub inhibit_mapping: bool,
    pub inhibit_any: bool,
    pub valid: bool,
}

impl Vector {
    pub fn number(&self) -> &str {
        self.name.split(' ').next().unwrap()
    }

    fn policies(&self) -> PolicyInput<'_> {
        let Self { explicit, inhibit_mapping, inhibit_any, .. } = *self;
        PolicyInput { acceptable: &self.acceptable, explicit, inhibit_mapping, inhibit_any }
    }

    /// In an error: why it is refused.
    pub fn run(&self) -> Result<(), String> {
        self.with(&self.lists.iter().collect::<Vec<_>>())
    }

    /// The same with other lists.
    pub fn with(&self, lists: &[&Vec<u8>]) -> Result<(), String> {
        let certificates = self.certificates.as_ref().map_err(ToString::to_string)?;
        let [anchor, rest @ .., leaf] = certificates.as_slice() else { panic!("{}", self.name) };
        let wanted = Wanted::new(certificates.iter().map(|certificate| certificate.serial.as_slice()));
        let lists: Vec<(&[u8], CrlLookup<'_>)> =
            lists.iter().filter_map(|der| Some((der.as_slice(), CrlLookup::read(der, &wanted).ok()?))).collect();
        let input = ValidationInput {
            anchors: std::slice::from_ref(anchor),
            intermediates: rest,
            at: AT,
            links: Links::Rfc5280,
            dates: Dates::All,
            policies: self.policies(),
            revocation: Some(Revocation { crls: &lists, strictness: Strictness::Strict }),
        };
        validate(leaf, input).map(|_| ()).map_err(|why| why.to_string())
    }
}

/// A suite's file.
pub fn file(suite: &str, name: &str) -> PathBuf {
    repository(&format!("fixtures/{suite}/{name}"))
}

pub fn read(suite: &str) -> Vec<Vector> {
    let bytes = |name: String| fs::read(file(suite, &name)).unwrap();
    let list: Vec<Value> = serde_json::from_slice(&bytes("vectors.json".to_owned())).unwrap();
    let names = |vector: &Value, field: &str| -> Vec<String> {
        vector[field].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let flag = |vector: &Value, field: &str| vector[field].as_bool().unwrap();
    list.iter()
        .map(|vector| Vector {
            name: vector["Name"].as_str().unwrap().to_owned(),
            certificates: names(vector, "CertPath")
                .into_iter()
                .map(|name| Certificate::parse(&bytes(format!("certs/{name}"))))
                .collect(),
            acceptable: names(vector, "InitialPolicySet").iter().map(|name| policy(name)).collect(),
            explicit: flag(vector, "InitialExplicitPolicy"),
            inhibit_mapping: flag(vector, "InitialPolicyMappingInhibit"),
            inhibit_any: flag(vector, "InitialAnyPolicyInhibit"),
            lists: names(vector, "CRLPath").into_iter().map(|name| bytes(format!("crls/{name}"))).collect(),
            valid: flag(vector, "ShouldValidate"),
        })
        .collect()
}

/// The suites' names of their policies (PKITS section 3).
pub fn policy(name: &str) -> Oid {
    let number = name.strip_prefix("NIST-test-policy-");
    Oid::new(number.map_or_else(|| "2.5.29.32.0".to_owned(), |number| format!("2.16.840.1.101.3.2.1.48.{number}")))
}
