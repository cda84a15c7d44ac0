//! What a CertificateSigningRequest of certificates.k8s.io/v1 asks for beside its request, held against what would be signed.
//! Nothing of it is granted: what differs is refused, and whoever signs states the same or has the manifest changed. Pure.

use time::Duration;

use crate::blueprint::{Blueprint, ExtendedKeyUsage, KeyUsage, Oid, Role};
use crate::catalog::CaId;

/// The fields of its spec and status that are judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub signer: Option<String>,
    pub usages: Vec<String>,
    /// In seconds.
    pub lifetime: Option<i64>,
    pub is_denied: bool,
}

/// What is asked and would not be signed, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Not a usage of the API.
    UnknownUsage(String),
    /// The certificate would not have this usage.
    NotGranted(String),
    /// The certificate would have this usage.
    NotAsked(ExtendedKeyUsage),
    /// In seconds.
    Lifetime {
        asked: i64,
        signed: i64,
    },
    /// This signer signs for this usage only.
    Signer {
        signer: &'static str,
        only: ExtendedKeyUsage,
    },
    /// This signer is the cluster's CA.
    Authority {
        signer: &'static str,
        found: CaId,
    },
    Denied,
}

/// What a usage is in a certificate.
enum Usage {
    Key(KeyUsage),
    Extended(ExtendedKeyUsage),
    Other(&'static str),
}

/// The usages of the API (`KeyUsage` in certificates.k8s.io/v1).
const USAGES: &[(&str, Usage)] = &[
    ("signing", Usage::Key(KeyUsage::DIGITAL_SIGNATURE)),
    ("digital signature", Usage::Key(KeyUsage::DIGITAL_SIGNATURE)),
    ("content commitment", Usage::Key(KeyUsage::CONTENT_COMMITMENT)),
    ("key encipherment", Usage::Key(KeyUsage::KEY_ENCIPHERMENT)),
    ("data encipherment", Usage::Key(KeyUsage::DATA_ENCIPHERMENT)),
    ("key agreement", Usage::Key(KeyUsage::KEY_AGREEMENT)),
    ("cert sign", Usage::Key(KeyUsage::KEY_CERT_SIGN)),
    ("crl sign", Usage::Key(KeyUsage::CRL_SIGN)),
    ("encipher only", Usage::Key(KeyUsage::ENCIPHER_ONLY)),
    ("decipher only", Usage::Key(KeyUsage::DECIPHER_ONLY)),
    ("server auth", Usage::Extended(ExtendedKeyUsage::ServerAuth)),
    ("client auth", Usage::Extended(ExtendedKeyUsage::ClientAuth)),
    ("any", Usage::Other("2.5.29.37.0")),
    ("code signing", Usage::Other("1.3.6.1.5.5.7.3.3")),
    ("email protection", Usage::Other("1.3.6.1.5.5.7.3.4")),
    ("s/mime", Usage::Other("1.3.6.1.5.5.7.3.4")),
    ("ipsec end system", Usage::Other("1.3.6.1.5.5.7.3.5")),
    ("ipsec tunnel", Usage::Other("1.3.6.1.5.5.7.3.6")),
    ("ipsec user", Usage::Other("1.3.6.1.5.5.7.3.7")),
    ("timestamping", Usage::Other("1.3.6.1.5.5.7.3.8")),
    ("ocsp signing", Usage::Other("1.3.6.1.5.5.7.3.9")),
    ("microsoft sgc", Usage::Other("1.3.6.1.4.1.311.10.3.3")),
    ("netscape sgc", Usage::Other("2.16.840.1.113730.4.1")),
];

impl Usage {
    fn extended(&self) -> Option<ExtendedKeyUsage> {
        match self {
            Self::Key(_) => None,
            Self::Extended(usage) => Some(usage.clone()),
            Self::Other(oid) => Some(ExtendedKeyUsage::Other(Oid((*oid).into()))),
        }
    }
}

/// What the API calls the usages of a certificate.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UsageNames {
    pub of_key: Vec<&'static str>,
    pub extended: Vec<&'static str>,
    /// Extended ones that it has no name for.
    pub unnamed: Vec<ExtendedKeyUsage>,
}

/// Each by one name, extended ones in their own order.
pub fn usage_names(key_usage: KeyUsage, extended: &[ExtendedKeyUsage]) -> UsageNames {
    // "signing" is the same bit as "digital signature", which is what people write.
    let of_key = USAGES.iter().filter_map(|(name, usage)| match usage {
        Usage::Key(bit) if key_usage.contains(*bit) && *name != "signing" => Some(*name),
        Usage::Key(_) | Usage::Extended(_) | Usage::Other(_) => None,
    });
    let mut names = UsageNames { of_key: of_key.collect(), ..UsageNames::default() };
    for wanted in extended {
        match USAGES.iter().find(|(_, usage)| usage.extended().as_ref() == Some(wanted)) {
            Some((name, _)) => names.extended.push(name),
            None => names.unnamed.push(wanted.clone()),
        }
    }
    names
}

/// Kubernetes's own signers: all are the cluster's CA, and each signs for one usage.
const SIGNERS: &[(&str, ExtendedKeyUsage)] = &[
    ("kubernetes.io/kube-apiserver-client", ExtendedKeyUsage::ClientAuth),
    ("kubernetes.io/kube-apiserver-client-kubelet", ExtendedKeyUsage::ClientAuth),
    ("kubernetes.io/kubelet-serving", ExtendedKeyUsage::ServerAuth),
];

/// Every contradiction between what is asked and what would be signed by this authority; none: sign it. `lifetime`: of the
/// certificate, without what its authority's own end cuts off, which is said by itself.
pub fn contradictions(asked: &Asked, blueprint: &Blueprint, lifetime: Duration, authority: CaId) -> Vec<Contradiction> {
    let mut found = Vec::new();
    if asked.is_denied {
        found.push(Contradiction::Denied);
    }
    if let Some((signer, only)) = SIGNERS.iter().find(|(name, _)| asked.signer.as_deref() == Some(name)) {
        if blueprint.role != Role::EndEntity || blueprint.extended_key_usages.iter().any(|usage| usage != only) {
            found.push(Contradiction::Signer { signer, only: only.clone() });
        }
        if authority != CaId::Cluster {
            found.push(Contradiction::Authority { signer, found: authority });
        }
    }
    let mut extended = Vec::new();
    for text in &asked.usages {
        let Some((_, usage)) = USAGES.iter().find(|(name, _)| name == text) else {
            found.push(Contradiction::UnknownUsage(text.clone()));
            continue;
        };
        let is_granted = match (usage, usage.extended()) {
            // A key that cannot encipher is asked to by every client from before 1.27; without the bit it works the same.
            (Usage::Key(KeyUsage::KEY_ENCIPHERMENT), _) => true,
            (Usage::Key(bit), _) => blueprint.key_usage.contains(*bit),
            (_, Some(usage)) => blueprint.extended_key_usages.contains(&usage),
            (_, None) => false,
        };
        if !is_granted {
            found.push(Contradiction::NotGranted(text.clone()));
        }
        extended.extend(usage.extended());
    }
    if !asked.usages.is_empty() {
        let surplus = blueprint.extended_key_usages.iter().filter(|usage| !extended.contains(usage));
        found.extend(surplus.cloned().map(Contradiction::NotAsked));
    }
    let signed = lifetime.whole_seconds();
    if let Some(asked) = asked.lifetime.filter(|asked| *asked != signed) {
        found.push(Contradiction::Lifetime { asked, signed });
    }
    found
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::blueprint::Name;

    fn blueprint(usages: &[ExtendedKeyUsage]) -> Blueprint {
        Blueprint {
            subject: Name::default(),
            not_before: datetime!(2027-01-01 00:00 UTC),
            not_after: datetime!(2027-01-08 00:00 UTC),
            role: Role::EndEntity,
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            extended_key_usages: usages.to_vec(),
            sans: Vec::new(),
            permitted: Vec::new(),
        }
    }

    #[test]
    fn what_is_asked_and_what_would_be_signed() {
        use Contradiction::{Authority, Denied, Lifetime, NotAsked, NotGranted, Signer, UnknownUsage};
        use ExtendedKeyUsage::{ClientAuth, ServerAuth};
        const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
        let day = 86_400;
        let text = |text: &str| text.to_owned();
        for (signer, asked, seconds, usages, authority, expected) in [
            (None, &[][..], None, &[ServerAuth][..], CaId::Cluster, vec![]),
            (
                Some(CLIENT),
                &["client auth", "digital signature", "key encipherment"],
                None,
                &[ClientAuth],
                CaId::Cluster,
                vec![],
            ),
            (Some("example.com/any"), &["server auth"], Some(30 * day), &[ServerAuth], CaId::Etcd, vec![]),
            (
                None,
                &["client auth"],
                None,
                &[ServerAuth],
                CaId::Cluster,
                vec![NotGranted(text("client auth")), NotAsked(ServerAuth)],
            ),
            (None, &["server auth"], None, &[ServerAuth, ClientAuth], CaId::Cluster, vec![NotAsked(ClientAuth)]),
            (
                None,
                &["cert sign", "server auth"],
                None,
                &[ServerAuth],
                CaId::Cluster,
                vec![NotGranted(text("cert sign"))],
            ),
            (
                None,
                &["code signing", "server auth"],
                None,
                &[ServerAuth],
                CaId::Cluster,
                vec![NotGranted(text("code signing"))],
            ),
            (
                None,
                &["Server Auth", "server auth"],
                None,
                &[ServerAuth],
                CaId::Cluster,
                vec![UnknownUsage(text("Server Auth"))],
            ),
            (None, &[], Some(day), &[ServerAuth], CaId::Cluster, vec![Lifetime { asked: day, signed: 30 * day }]),
            (Some(CLIENT), &[], None, &[ServerAuth], CaId::Cluster, vec![Signer { signer: CLIENT, only: ClientAuth }]),
            (Some(CLIENT), &[], None, &[ClientAuth], CaId::Etcd, vec![Authority { signer: CLIENT, found: CaId::Etcd }]),
        ] {
            let usages_asked = asked.iter().map(|text| (*text).to_owned()).collect();
            let asked =
                Asked { signer: signer.map(str::to_owned), usages: usages_asked, lifetime: seconds, is_denied: false };
            assert_eq!(
                contradictions(&asked, &blueprint(usages), Duration::days(30), authority),
                expected,
                "{asked:?}"
            );
            let denied = Asked { is_denied: true, ..asked };
            assert_eq!(
                contradictions(&denied, &blueprint(usages), Duration::days(30), authority),
                [vec![Denied], expected].concat()
            );
        }
    }

    #[test]
    fn usages_have_one_name_each() {
        let mail = ExtendedKeyUsage::Other(Oid::new("1.3.6.1.5.5.7.3.4"));
        let unknown = ExtendedKeyUsage::Other(Oid::new("1.2.3"));
        let names = usage_names(
            KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::CRL_SIGN),
            &[ExtendedKeyUsage::ClientAuth, unknown.clone(), ExtendedKeyUsage::ServerAuth, mail],
        );
        assert_eq!(names.of_key, ["digital signature", "crl sign"]);
        assert_eq!(names.extended, ["client auth", "server auth", "email protection"]);
        assert_eq!(names.unnamed, [unknown]);
        assert_eq!(usage_names(KeyUsage::default(), &[]), UsageNames::default());
    }
}
