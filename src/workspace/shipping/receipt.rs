//! A receipt: what is in force on a node, as the node itself sees it, without any secret. `kpki unpack` and `kpki export
//! --verify --receipt` print it; the safe host keeps the last one of each node in `.kpki/nodes/NODE.json`.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::digest::Sha256;
use super::manifest::Issue;
use super::node_entries::ROTATED;
use crate::catalog::paths::{KUBELET_CONF, KUBELET_SERVING};
use crate::clock::parse_instant;
use crate::error::Error;
use crate::plan::node_keys;
use crate::plan::running;
use crate::plan::shipping::{self, Facts};
use crate::report::form::{Out, Screen, Written};
use crate::report::table::{line, table};
use crate::report::{self, Form, Report};
use crate::workspace::journal::{Line, number_of};

/// The receipt of one node. Instants are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub kind: Kind,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub node: String,
    /// When it was made.
    pub time: String,
    /// What the archive said that was unpacked last; `None`: none was, or one of 0.1.0.
    pub issue: Option<Issue>,
    /// When that was, by the node's clock; `None`: with tar, or never.
    pub unpacked: Option<String>,
    /// The generation that keeps what was replaced then.
    pub generation: Option<String>,
    pub entries: Vec<Held>,
    pub lists: Vec<HeldList>,
    /// The kubelet's own client certificate, kubelet-client-current.pem; `None`: there is none.
    pub kubelet_client: Option<KubeletClient>,
    /// The value of `--cluster-signing-cert-file` in the manifest of kube-controller-manager; `None`: it is not set, or there
    /// is no manifest.
    pub signing_file: Option<String>,
    pub components: Vec<Component>,
    /// Lines of the node's own journal: what was issued and revoked there, and not brought there by an archive.
    pub journal: Vec<Line>,
    /// How many older lines than these there are.
    #[serde(default)]
    pub journal_left_out: u64,
}

/// The most lines of a journal in a receipt: with them a receipt stays well below [`LARGEST`].
pub const MOST_LINES: usize = 4096;
/// In bytes.
pub const LARGEST: u64 = 8 << 20;
/// The largest list that is in a receipt as a whole, in bytes of DER: about 7000 entries.
pub const LARGEST_LIST: usize = 256 << 10;
/// Of one entry.
pub const MOST_CERTIFICATES: usize = 16;
/// In bytes of DER.
pub const LARGEST_CERTIFICATE: usize = 32 << 10;

impl Receipt {
    /// What a journal calls an entry of this receipt. A certificate that the kubelet rotates itself is not that of the entry.
    pub fn name_of(&self, held: &Held) -> String {
        match held.entry.as_str() {
            KUBELET_CONF if self.kubelet_client.is_some() => "kubelet-client-current.pem".to_owned(),
            KUBELET_SERVING if held.path.ends_with(ROTATED) => "kubelet-server-current.pem".to_owned(),
            entry => entry.to_owned(),
        }
    }

    /// As `-o json` prints it.
    pub fn render(&self) -> Result<String, Error> {
        let mut text = Vec::new();
        report::write(self, Form::Json, OffsetDateTime::UNIX_EPOCH, None, &mut text)
            .map_err(|why| Error::new("cannot write the receipt").because(why))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl Held {
    pub fn facts(&self) -> Facts {
        let prints = |all: &[Sha256]| all.iter().map(|print| print.0).collect();
        Facts {
            entry: self.entry.clone(),
            certificates: prints(if self.public_keys.is_empty() { &self.certificates } else { &self.public_keys }),
            authority_data: prints(&self.authority_data),
            public_key: self.public_key.map(|print| print.0),
            not_before: self.not_before.as_deref().and_then(instant),
        }
    }
}

/// What a safe host has for a node and what the node's receipt shows, without what the kubelet rotates itself.
pub fn comparable(entries: &[Held], receipt: &Receipt) -> (Vec<Facts>, Vec<Facts>) {
    let theirs: Vec<Facts> = receipt.entries.iter().map(Held::facts).collect();
    let rotated = |entry: &str| receipt.entries.iter().any(|one| one.entry == entry && one.path.ends_with(ROTATED));
    let ours = entries.iter().filter(|one| one.entry != KUBELET_SERVING || !rotated(&one.entry));
    let ours = ours.map(|one| match theirs.iter().find(|other| other.entry == one.entry) {
        // The kubelet uses a credential that it rotates itself: what the file trusts is compared.
        Some(other) if one.entry == KUBELET_CONF && receipt.kubelet_client.is_some() => {
            Facts { authority_data: one.facts().authority_data, ..other.clone() }
        }
        _ => one.facts(),
    });
    (ours.collect(), theirs)
}

impl HeldList {
    pub fn issue(&self) -> shipping::Issue {
        shipping::Issue { number: self.number.as_deref().and_then(number_of), fingerprint: self.fingerprint.0 }
    }
}

impl fmt::Display for HeldList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number.as_deref().unwrap_or("without a number");
        write!(f, "{number} (SHA-256 {})", self.fingerprint)
    }
}

impl Component {
    /// It uses what is there: it started later, or reads again what is newer.
    pub const fn is_current(&self) -> bool {
        matches!(self.running, Running::Yes) || self.rereads
    }

    /// For people.
    pub fn state(&self) -> &'static str {
        match self.running {
            Running::Yes => "yes",
            Running::No if self.rereads => "reads again",
            Running::No => "no",
            Running::Unknown => "unknown",
        }
    }
}

/// An absolute instant.
pub fn instant(text: &str) -> Option<OffsetDateTime> {
    text.starts_with(|first: char| first.is_ascii_digit()).then(|| parse_instant(text, OffsetDateTime::UNIX_EPOCH))?
}

impl Report for Receipt {
    fn text(&self, screen: Screen, out: Out<'_>) -> Written {
        let cluster = self.cluster.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        let unpacked = self.unpacked.as_ref().map_or_else(|| "never by kpki".to_owned(), String::clone);
        line(out, format_args!("receipt of {}{cluster}, {}; unpacked: {unpacked}", self.node, self.time))?;
        line(out, "")?;
        let rows = self.entries.iter().map(|one| {
            let print = one.certificates.first().or(one.public_key.as_ref());
            let print: String = print.map(ToString::to_string).unwrap_or_default().chars().take(16).collect();
            [one.entry.clone(), print, one.not_after.clone().unwrap_or_else(|| "-".to_owned())]
        });
        let lists = self.lists.iter().map(|one| {
            let print: String = one.fingerprint.to_string().chars().take(16).collect();
            let number = one.number.as_ref().map(|number| format!(" {number}")).unwrap_or_default();
            [format!("{}.crl{number}", one.authority), print, one.next_update.clone().unwrap_or_else(|| "-".to_owned())]
        });
        table(out, screen.width, &["ENTRY", "SHA-256", "UNTIL"], rows.chain(lists))?;
        if !self.components.is_empty() {
            line(out, "")?;
            let or_none = |instant: &Option<String>| instant.clone().unwrap_or_else(|| "-".to_owned());
            let rows = self.components.iter().map(|one| {
                [one.component.clone(), one.state().to_owned(), or_none(&one.started), or_none(&one.changed)]
            });
            table(out, screen.width, &["COMPONENT", "RUNS WITH IT", "STARTED", "FILES CHANGED"], rows)?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    NodeReceipt,
}

/// One entry on the node: a bundle, a pair, a kubeconfig or sa.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub entry: String,
    /// Absolute, on the node.
    pub path: String,
    pub certificates: Vec<Sha256>,
    /// What a kubeconfig trusts: its certificate-authority-data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority_data: Vec<Sha256>,
    pub public_key: Option<Sha256>,
    /// Of sa.pub: every key in the order of the file, where it has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<Sha256>,
    /// notBefore of its first certificate.
    pub not_before: Option<String>,
    pub not_after: Option<String>,
    /// Whether its private key is there.
    pub key: bool,
    /// The certificates themselves, in the order of `certificates` and up to [`MOST_CERTIFICATES`]: DER in base64. A host that does
    /// not know one believes its authority's signature, and not the node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates_der: Vec<String>,
    /// Whether that is its key; `None`: nobody looked, or it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_state: Option<KeyState>,
}

/// The private key of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    Matches,
    /// It is another one than that of the certificate.
    Other,
    Missing,
    /// It cannot be read, or is no key.
    Unusable,
}

impl From<node_keys::KeyState> for KeyState {
    fn from(state: node_keys::KeyState) -> Self {
        match state {
            node_keys::KeyState::Matches => Self::Matches,
            node_keys::KeyState::Other => Self::Other,
            node_keys::KeyState::Missing => Self::Missing,
            node_keys::KeyState::Unusable => Self::Unusable,
        }
    }
}

/// A CRL on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldList {
    /// The authority's entry: ca, front-proxy-ca, etcd-ca.
    pub authority: String,
    /// Absolute, on the node.
    pub path: String,
    pub fingerprint: Sha256,
    /// Decimal.
    pub number: Option<String>,
    pub this_update: String,
    pub next_update: Option<String>,
    /// Its DER in base64, up to [`LARGEST_LIST`]: a host that has lost a later issue gets its entries back. The word of the
    /// authority that signed it, and not of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crl: Option<String>,
    /// It is larger than that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crl_left_out: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletClient {
    pub fingerprint: Sha256,
    pub issuer: String,
    /// Its authorityKeyIdentifier, lower-case hexadecimal.
    pub issuer_key_id: Option<String>,
    pub not_after: String,
}

/// Whether a component has read the files that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// As in `catalog::readers::COMPONENTS`.
    pub component: String,
    pub running: Running,
    /// When the oldest of its processes started.
    pub started: Option<String>,
    /// When the newest of its files was put in place: their ctime. A file's mtime says when it was made, and tar brings it along.
    pub changed: Option<String>,
    /// It is older than its files, and reads all of those that are newer again by itself: no restart is needed for them.
    #[serde(default)]
    pub rereads: bool,
}

/// Whether every process of a component that is root's started after the last change of the files that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Running {
    Yes,
    No,
    /// No process of it is visible.
    Unknown,
}

impl From<running::Running> for Running {
    fn from(judged: running::Running) -> Self {
        match judged {
            running::Running::Yes => Self::Yes,
            running::Running::No => Self::No,
            running::Running::Unknown => Self::Unknown,
        }
    }
}
