//! From bytes to a profile: which documents are there, of which kind they are, and who reads them.

use super::cluster;
use super::config_map;
use super::fields::Reading;
use super::kubeadm::{self, Documents, Version};
use super::model::Profile;
use super::near::nearest;
use super::overrides::Overrides;
use super::problem::{Kind, Mismatch, Problems, Warning, shown};
use crate::encoding::yaml::{self, MAX_PROBLEMS, Node as Document, Stream, Value};

pub const API_VERSION: &str = "kpki/v1";
pub const KIND: &str = "ClusterProfile";
const KUBEADM_KINDS: [&str; 3] = ["ClusterConfiguration", "InitConfiguration", "JoinConfiguration"];
/// The other kinds of the group: known, so no mistyped ones.
const KUBEADM_OTHERS: [&str; 3] = ["UpgradeConfiguration", "ResetConfiguration", "ClusterStatus"];

/// A profile's text and the name it has in messages.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub profile: Profile,
    pub warnings: Vec<Warning>,
}

/// Reads a profile, or reports everything that is wrong with it.
pub fn load(source: Source<'_>, overrides: &Overrides) -> Result<Loaded, Problems> {
    let mut reading = Reading::of(source.name);
    let profile = read(source.bytes, overrides, &mut reading);
    match profile {
        Some(profile) if reading.is_clean() => Ok(Loaded { profile, warnings: reading.into_warnings() }),
        _ => Err(reading.into_problems()),
    }
}

pub(super) fn read(bytes: &[u8], overrides: &Overrides, reading: &mut Reading) -> Option<Profile> {
    let (stream, without) = config_map::unwrapped(yaml::read(bytes), bytes);
    for fault in stream.faults.iter().take(MAX_PROBLEMS) {
        reading.problem_at(fault.mark, &fault.field, Kind::Yaml(fault.flaw.clone()));
    }
    if !stream.readable() {
        return None;
    }
    if let (Some(mark), true) = (without, stream.documents.is_empty()) {
        reading.problem_at(mark, config_map::FIELD, config_map::missing());
        return None;
    }
    if stream.documents.is_empty() {
        reading.missing("", "a ClusterProfile (apiVersion: kpki/v1) or kubeadm's documents");
        return None;
    }
    let sorted = sort(&stream, reading)?;
    match sorted {
        Sorted::Kpki(document) => cluster::read(document, overrides, reading),
        Sorted::Kubeadm(documents) => kubeadm::read(&documents, overrides, reading),
    }
}

enum Sorted<'n> {
    Kpki(&'n Document),
    Kubeadm(Documents<'n>),
}

/// Finds out what each document is; `None` after a problem that leaves nothing to read.
fn sort<'n>(stream: &'n Stream, reading: &mut Reading) -> Option<Sorted<'n>> {
    let mut own: Option<&Document> = None;
    let mut kubeadm = Documents::default();
    let mut foreign = Vec::new();
    let mut some_kubeadm = None;
    for document in &stream.documents {
        let Some((version, kind)) = identity(document, reading) else { continue };
        if version.text == API_VERSION {
            if kind.text != KIND {
                wrong_kind(KIND, &kind, &[KIND], reading);
            } else if own.is_some() {
                reading.problem_at(document.mark, "", second(KIND));
            } else {
                own = Some(document);
            }
        } else if let Some((_, version)) = Version::ALL.into_iter().find(|(name, _)| *name == version.text) {
            some_kubeadm.get_or_insert(document.mark);
            kubeadm_document(&mut kubeadm, version, &kind, document, reading);
        } else {
            foreign.push((version, kind));
        }
    }
    let is_kubeadm = some_kubeadm.is_some();
    for (version, kind) in foreign {
        // Documents of other components share a file with kubeadm's, and kubeadm hands them on.
        let ours = version.text.starts_with("kpki/") || version.text.starts_with("kubeadm.k8s.io/");
        if is_kubeadm && !ours {
            reading.locate("kind", kind.mark);
            reading.warn("kind", format!("{} of {} is not read", shown(kind.text), shown(version.text)));
        } else {
            let known = Version::ALL.map(|(name, _)| name).into_iter().chain([API_VERSION]);
            let why = Mismatch::word("kpki/v1 or kubeadm.k8s.io/v1beta4", version.text, known);
            reading.problem_at(version.mark, "apiVersion", why);
        }
    }
    match (own, some_kubeadm) {
        (Some(_), Some(mark)) => {
            let why = Mismatch::new("either one ClusterProfile or kubeadm's documents", "both in one file");
            reading.problem_at(mark, "", why);
            None
        }
        (Some(document), None) => Some(Sorted::Kpki(document)),
        (None, Some(mark)) => {
            let usable = kubeadm.cluster.is_some() || kubeadm.init.is_some() || kubeadm.join.is_some();
            if !usable && reading.is_clean() {
                let why = Mismatch::new("a ClusterConfiguration, InitConfiguration or JoinConfiguration", "none");
                reading.problem_at(mark, "kind", why);
            }
            usable.then_some(Sorted::Kubeadm(kubeadm))
        }
        (None, None) => None,
    }
}

/// A text at the top of a document.
struct Word<'n> {
    text: &'n str,
    mark: yaml::Mark,
}

fn identity<'n>(document: &'n Document, reading: &mut Reading) -> Option<(Word<'n>, Word<'n>)> {
    let Value::Mapping(entries) = &document.value else {
        let found = match &document.value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Scalar { text, .. } => shown(text),
            Value::Null | Value::Mapping(_) => String::new(),
        };
        reading.problem_at(document.mark, "", Mismatch::new("a mapping", found));
        return None;
    };
    let mut word = |key: &str, expected| {
        let entry = entries.iter().find(|entry| entry.key == key);
        match entry.map(|entry| (&entry.node.value, entry.node.mark)) {
            Some((Value::Scalar { text, .. }, mark)) => Some(Word { text, mark }),
            Some((_, mark)) => {
                reading.problem_at(mark, key, Mismatch::missing(expected));
                None
            }
            None => {
                reading.problem_at(document.mark, key, Mismatch::missing(expected));
                None
            }
        }
    };
    let version = word("apiVersion", "kpki/v1 or kubeadm.k8s.io/v1beta4");
    let kind = word("kind", "ClusterProfile, or the kind of a kubeadm document");
    Some((version?, kind?))
}

fn wrong_kind(expected: &'static str, kind: &Word<'_>, known: &[&'static str], reading: &mut Reading) {
    let why = Mismatch::word(expected, kind.text, known.iter().copied());
    reading.problem_at(kind.mark, "kind", why);
}

fn second(kind: &str) -> Mismatch {
    Mismatch::new(format!("one {kind}"), "another one")
}

fn kubeadm_document<'n>(
    documents: &mut Documents<'n>,
    version: Version,
    kind: &Word<'_>,
    document: &'n Document,
    reading: &mut Reading,
) {
    let (twice, name) = match kind.text {
        "ClusterConfiguration" => (documents.cluster.replace((version, document)).is_some(), "ClusterConfiguration"),
        "InitConfiguration" => (documents.init.replace(document).is_some(), "InitConfiguration"),
        "JoinConfiguration" => (documents.join.replace(document).is_some(), "JoinConfiguration"),
        other => {
            let mistyped = nearest(other, KUBEADM_KINDS).is_some() && !KUBEADM_OTHERS.contains(&other);
            if mistyped {
                wrong_kind("a kind of kubeadm", kind, &KUBEADM_KINDS, reading);
            } else {
                reading.locate("kind", kind.mark);
                reading.warn("kind", format!("{} is not read", shown(other)));
            }
            return;
        }
    };
    if twice {
        reading.problem_at(document.mark, "", second(name));
    }
}
