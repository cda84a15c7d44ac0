//! A rotation as values: which authorities are being replaced, and how far each is. What is recorded of it is
//! `.kpki/rotation.json`; the files of the tree say the same, and outrank the record.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::encoding::base64;
use crate::encoding::public_key;
use crate::x509::certificate::hex;
use crate::x509::{Certificate, sha256};

/// What can be rotated: an authority, or the service account key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rotating {
    Authority(CaId),
    ServiceAccount,
}

impl Rotating {
    pub const ALL: [Self; 4] = [
        Self::Authority(CaId::Cluster),
        Self::Authority(CaId::FrontProxy),
        Self::Authority(CaId::Etcd),
        Self::ServiceAccount,
    ];

    /// The name of its entry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority(authority) => authority.name(),
            Self::ServiceAccount => "sa",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub const fn authority(self) -> Option<CaId> {
        match self {
            Self::Authority(authority) => Some(authority),
            Self::ServiceAccount => None,
        }
    }
}

impl fmt::Display for Rotating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Rotating> for String {
    fn from(rotating: Rotating) -> Self {
        rotating.name().to_owned()
    }
}

impl TryFrom<String> for Rotating {
    type Error = UnknownAuthority;

    fn try_from(name: String) -> Result<Self, UnknownAuthority> {
        Self::parse(&name).ok_or(UnknownAuthority)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected ca, front-proxy-ca, etcd-ca or sa")]
pub struct UnknownAuthority;

/// How far a rotation is; without a record it is none, or over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Everything trusts the old and the new one; the old one signs.
    Prepared,
    /// Everything trusts both; the new one signs, and has signed everything in the tree.
    Switched,
    /// Only the new one signs and is trusted; the old one is in ca-trust.crt, for what pods are told to trust.
    Emergency,
}

impl Phase {
    pub const ALL: [Self; 3] = [Self::Prepared, Self::Switched, Self::Emergency];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Switched => "switched",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where an authority's key is: the new one's until the switch, the old one's after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPlace {
    /// In `.kpki/rotation/`.
    #[default]
    Here,
    /// With somebody else: an external authority.
    Elsewhere,
    /// Where a profile names it, outside the tree: key.file PATH, key.command WORDS or signer WORDS, in every phase.
    Source(String),
}

impl KeyPlace {
    const fn is_here(&self) -> bool {
        matches!(self, Self::Here)
    }
}

/// How the kubelets come by a client certificate of the new authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kubelets {
    /// kubelet.conf embeds one.
    Embed,
    /// They ask for one themselves when theirs is near its end.
    Wait,
}

/// One certificate of an authority, or the service account's public key. Instants are RFC 3339 in UTC, digests SHA-256 in
/// lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `CERTIFICATE`, or `PUBLIC KEY`.
    pub pem: String,
    /// Of the SubjectPublicKeyInfo.
    pub public_key: String,
    /// Of the certificate, and what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Described>,
    /// `kid` of the tokens that the service account key signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    pub subject: String,
    pub serial: String,
    pub fingerprint: String,
    pub not_before: String,
    pub not_after: String,
}

impl Identity {
    pub fn of_certificate(certificate: &Certificate) -> Self {
        Self {
            pem: certificate.to_pem(),
            public_key: digest(&certificate.spki_der),
            certificate: Some(Described {
                subject: certificate.subject.to_string(),
                serial: certificate.serial_hex().to_lowercase(),
                fingerprint: digest(&certificate.der),
                not_before: rfc3339(certificate.not_before),
                not_after: rfc3339(certificate.not_after),
            }),
            kid: None,
        }
    }

    /// `spki`: SubjectPublicKeyInfo in DER.
    pub fn of_public_key(spki: &[u8]) -> Self {
        Self {
            pem: public_key::to_pem(spki),
            public_key: digest(spki),
            certificate: None,
            kid: Some(key_id_of_tokens(spki)),
        }
    }

    /// What tells it from others: the certificate's fingerprint, else that of the public key.
    pub fn digest(&self) -> &str {
        self.certificate.as_ref().map_or(&self.public_key, |one| &one.fingerprint)
    }

    pub fn is(&self, certificate: &Certificate) -> bool {
        self.certificate.as_ref().is_some_and(|own| own.fingerprint == digest(&certificate.der))
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&sha256(bytes), "").to_lowercase()
}

/// `kid` as kube-apiserver writes it: base64url of the SHA-256 of the SubjectPublicKeyInfo, without padding.
pub fn key_id_of_tokens(spki: &[u8]) -> String {
    base64::url(&sha256(spki))
}

/// A node on which a phase is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmation {
    pub node: String,
    pub phase: Phase,
    pub time: String,
    pub by: ConfirmedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmedBy {
    /// The node's receipt shows it.
    Receipt,
    /// Somebody says so.
    Hand,
}

/// A gate that was passed although it was not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Override {
    pub phase: Phase,
    pub time: String,
    /// What was passed over.
    pub what: Vec<String>,
}

/// One authority between its old and its new certificate and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    pub authority: Rotating,
    /// The new one's, as in `kubernetes@2`.
    pub number: u32,
    pub phase: Phase,
    /// Since when.
    pub since: String,
    /// The signer first, then what stands above it in the file.
    pub old: Vec<Identity>,
    pub new: Vec<Identity>,
    #[serde(default)]
    pub new_key: KeyPlace,
    /// The old one's was never here: from the switch on, `Elsewhere`.
    #[serde(default, skip_serializing_if = "KeyPlace::is_here")]
    pub old_key: KeyPlace,
    /// kube-controller-manager signs with ca-signer.crt, by somebody's word (`--signer-file-in-use`).
    #[serde(default)]
    pub signer_file_in_use: bool,
    /// From the switch on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubelets: Option<Kubelets>,
    /// The generation that the change to a phase has made, which keeps what was before.
    #[serde(default)]
    pub generations: BTreeMap<Phase, String>,
    #[serde(default)]
    pub confirmations: Vec<Confirmation>,
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// When the new one signed for the first time: from then on it may be in use, whatever the phase. `None`: it never has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_since: Option<String>,
    /// It was retired, and a step back has brought it here: every node trusts the new one, and perhaps it alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
}

/// Where the next step of a rotation leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Forth,
    Back,
}

impl Way {
    /// Which of the two authorities is given up at its end.
    pub const fn gives_up(self) -> &'static str {
        match self {
            Self::Forth => "old",
            Self::Back => "new",
        }
    }
}

impl Rotation {
    /// A step back would cut off who is as the rotation has made him: the new one has signed, or the old one was trusted no more.
    pub fn is_back_gated(&self) -> bool {
        match self.phase {
            Phase::Prepared => self.signed_since.is_some(),
            Phase::Switched => self.restored,
            Phase::Emergency => false,
        }
    }

    /// The same with the two authorities in each other's place.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self { old: self.new.clone(), new: self.old.clone(), ..self.clone() }
    }

    /// Who has confirmed the present phase.
    pub fn confirmed(&self, node: &str) -> Option<&Confirmation> {
        self.confirmations.iter().find(|one| one.node == node && one.phase == self.phase)
    }
}

/// One authority that is out of use, while its key or certificate is still kept in `.kpki/rotation/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retired {
    pub authority: Rotating,
    pub number: u32,
    /// When it was retired.
    pub since: String,
    pub old: Vec<Identity>,
    pub new: Vec<Identity>,
    pub generation: Option<String>,
    /// As in [`Rotation`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_since: Option<String>,
    /// As in [`Rotation`].
    #[serde(default, skip_serializing_if = "KeyPlace::is_here")]
    pub new_key: KeyPlace,
    #[serde(default, skip_serializing_if = "KeyPlace::is_here")]
    pub old_key: KeyPlace,
    /// It was replaced in an emergency: its key may be in other hands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
}

/// `.kpki/rotation.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub kind: Kind,
    pub version: u32,
    #[serde(default)]
    pub rotations: Vec<Rotation>,
    #[serde(default)]
    pub retired: Vec<Retired>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    RotationRecord,
}

/// Of the file.
pub const VERSION: u32 = 1;

impl Default for Record {
    fn default() -> Self {
        Self { kind: Kind::default(), version: VERSION, rotations: Vec::new(), retired: Vec::new() }
    }
}

impl Record {
    pub fn of(&self, authority: Rotating) -> Option<&Rotation> {
        self.rotations.iter().find(|one| one.authority == authority)
    }

    pub fn phase(&self, authority: Rotating) -> Option<Phase> {
        self.of(authority).map(|one| one.phase)
    }

    /// The generations that the way back of a rotation in progress needs.
    pub fn pinned(&self) -> Vec<String> {
        self.rotations.iter().flat_map(|one| one.generations.values().cloned()).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.rotations.is_empty() && self.retired.is_empty()
    }

    /// The rotation takes the place of the one of the same authority.
    pub fn set(&mut self, rotation: Rotation) {
        self.rotations.retain(|one| one.authority != rotation.authority);
        self.rotations.push(rotation);
        self.rotations.sort_by_key(|one| one.authority);
    }

    /// The rotation of this authority ends.
    pub fn take(&mut self, authority: Rotating) -> Option<Rotation> {
        let at = self.rotations.iter().position(|one| one.authority == authority)?;
        Some(self.rotations.remove(at))
    }
}
