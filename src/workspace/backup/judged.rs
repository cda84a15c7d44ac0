//! Judges what a backup holds, and compares it with a tree.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::collect::Collected;
use super::contents::Contents;
use crate::catalog::{CaId, ENTRIES, Entry};
use crate::files::FileState;
use crate::keys;
use crate::plan::backup::{self, Held, Judgement};
use crate::profile::{GATHERED, Profile};
use crate::store::RootId;
use crate::tree::layout::Root;
use crate::tree::{Directories, Layout, Place, Survey};
use crate::workspace::journal::{self, CertificateLine, Line};
use crate::workspace::key_places::KeyPlace;
use crate::workspace::profiles;
use crate::workspace::remembered::SameAuthority;
use crate::workspace::state::{self, Choices, State};
use crate::x509::Certificate;
use crate::x509::certificate::hex;

const JOURNAL: &str = ".kpki/journal.jsonl";
/// A file of the tree larger than this is none of those that are judged.
const LARGEST: usize = 4 << 20;

/// What is in a backup, as far as it matters.
#[derive(Debug)]
pub struct Judged {
    pub judgement: Judgement,
    pub cluster: Option<String>,
    /// The recorded choice of the kubelet's directory.
    pub kubelet_dir: Option<String>,
    /// Lines of the journal for certificates, and for CRLs.
    pub certificates: usize,
    pub lists: usize,
    /// The time of its last line.
    pub last: Option<String>,
}

/// Judges the tree in a backup. `passphrase`: of the authorities' keys that are encrypted; without it they are not opened.
pub fn judge(contents: &Contents<'_>, passphrase: Option<&str>) -> Judged {
    let mut problems = Vec::new();
    let state = recorded(contents, &mut problems);
    let expected = state.as_ref().map(|(profile, choices)| expected(profile, choices));
    let (profile, kubelet_dir) = state.map_or((None, None), |(profile, choices)| (Some(profile), choices.kubelet_dir));
    let lines = lines(contents, &mut problems);
    let outside = contents.manifest.roots.iter().any(|root| root.root == RootId::Certificates);
    let below = profile.as_ref().and_then(Profile::certificates_below).unwrap_or(GATHERED);
    let directories = Directories { pki: (!outside).then(|| below.to_owned()), kubelet: None };
    let elsewhere = |authority| {
        let place = KeyPlace::elsewhere(profile.as_ref(), authority)?;
        Some(format!("{} {}", place.name(), place.at().unwrap_or_default()))
    };
    let open = |pem: &[u8]| Some(keys::open(pem, Some(passphrase?)).map_err(|why| why.to_string()));
    let signs_here = |issuer: &Certificate| signs_here(&lines, issuer);
    let mut judgement = backup::judge(&survey(contents), &directories, signs_here, elsewhere, open);
    judgement.problems.extend(problems);
    judgement.problems.extend(absent(&judgement.authorities, expected.as_deref()));
    let is_certificate = |line: &&Line| matches!(line, Line::Certificate(_));
    let certificates = lines.iter().filter(is_certificate).count();
    Judged {
        judgement,
        cluster: profile.map(|profile| profile.cluster_name),
        kubelet_dir: kubelet_dir.map(|dir| dir.display().to_string()),
        certificates,
        lists: lines.len() - certificates,
        last: lines.last().map(|line| time(line).to_owned()),
    }
}

/// The authorities whose certificates the tree has by its profile.
fn expected(profile: &Profile, choices: &Choices) -> Vec<CaId> {
    let layout = state::layout(profile, choices);
    let holds = |entry: &Entry| match &layout {
        Layout::Cluster => true,
        Layout::Node { name } => profile.node(name).is_some_and(|node| profile.holds(node, entry)),
    };
    let is_its = |entry: &&Entry| profile.includes(entry) && holds(entry);
    ENTRIES.iter().filter(is_its).filter_map(Entry::authority).collect()
}

/// What is missing of the authorities. `expected`: `None`: no profile says which there are, and a tree has one at least.
fn absent(found: &[Held], expected: Option<&[CaId]>) -> Vec<String> {
    let is_there = |id: &CaId| found.iter().any(|one| one.authority == *id);
    match expected {
        Some(all) => all
            .iter()
            .filter(|id| !is_there(id))
            .map(|id| format!("{} is missing: its certificate is not in the tree", id.name()))
            .collect(),
        None if found.is_empty() => vec!["there is no authority in the tree".to_owned()],
        None => Vec::new(),
    }
}

fn time(line: &Line) -> &str {
    match line {
        Line::Crl(line) => &line.time,
        Line::Certificate(line) => &line.time,
    }
}

/// The profile of the tree; one that cannot be read is a problem, none is not.
fn recorded(contents: &Contents<'_>, problems: &mut Vec<String>) -> Option<(Profile, Choices)> {
    let own = |name: &str| contents.file(RootId::Main, &format!(".kpki/{name}"));
    let profile = own(state::PROFILE)?;
    let choices = match own(state::STATE).map(serde_json::from_slice::<Choices>) {
        None => Choices::default(),
        Some(Ok(choices)) => choices,
        Some(Err(_)) => {
            problems.push(format!(".kpki/{} cannot be read", state::STATE));
            Choices::default()
        }
    };
    let state = State { profile: profile.to_vec(), choices };
    match profiles::load_state(&state, &format!(".kpki/{}", state::PROFILE)) {
        Ok(loaded) => Some((loaded.profile, state.choices)),
        Err(why) => {
            problems.push(why.to_string());
            None
        }
    }
}

/// Every line of the journal; those that cannot be read are a problem.
fn lines(contents: &Contents<'_>, problems: &mut Vec<String>) -> Vec<Line> {
    let text = String::from_utf8_lossy(contents.file(RootId::Main, JOURNAL).unwrap_or_default());
    let all: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let read: Vec<Line> = all.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let unreadable = all.iter().filter(|line| !journal::is_readable(line)).count();
    if unreadable > 0 {
        problems.push(format!("{JOURNAL}: {unreadable} of {} lines cannot be read", all.len()));
    }
    read
}

/// Whether the tree made this authority, or has signed with it.
fn signs_here(lines: &[Line], issuer: &Certificate) -> bool {
    let fingerprint = hex(&issuer.fingerprint, "").to_lowercase();
    let subject = issuer.subject.to_string();
    let same = SameAuthority::of(lines, issuer);
    let is_own = |line: &CertificateLine| {
        let is_authority = CaId::parse(line.entry.rsplit('/').next().unwrap_or_default()).is_some();
        // A self-signed one of the same name says nothing of this one.
        let signed = line.issuer == subject && !is_authority;
        line.command != "import" && line.command != "restore" && (line.fingerprint == fingerprint || signed)
    };
    lines.iter().any(|line| match line {
        Line::Certificate(line) => is_own(line),
        Line::Crl(line) => same.has_issued(line),
    })
}

/// The files of the tree that are judged: none of kpki's own.
fn survey(contents: &Contents<'_>) -> Survey {
    let mut survey = Survey::new();
    for one in &contents.manifest.files {
        let root = match one.root {
            RootId::Kubelet => Root::Kubelet,
            RootId::Certificates => Root::Certificates,
            RootId::Main | RootId::State => Root::Main,
        };
        let path = one.path.as_str();
        let is_judged = [".crt", ".key", ".pub", ".crl"].iter().any(|end| path.ends_with(end));
        if !is_judged || one.path.is_within(".kpki") {
            continue;
        }
        if let Some(bytes) = contents.file(one.root, path).filter(|bytes| bytes.len() <= LARGEST) {
            let bytes = Zeroizing::new(bytes.to_vec());
            let state = FileState::File { bytes, mode: one.owned.mode, uid: one.owned.uid, gid: one.owned.gid };
            survey.insert(Place { root, path: path.to_owned() }, state);
        }
    }
    survey
}

/// What a tree has that a backup of it has not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newer {
    pub certificates: usize,
    pub lists: usize,
    /// Lines of the backup's journal that the tree has not: the backup is the newer one, or another tree's.
    pub unknown: usize,
    /// Files that are other ones, more, or gone; without the journal.
    pub changed: Vec<String>,
}

/// Compares a backup with a tree as it is.
pub fn newer(contents: &Contents<'_>, tree: &Collected) -> Newer {
    let journal = |bytes: Option<&[u8]>| -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for line in String::from_utf8_lossy(bytes.unwrap_or_default()).lines().filter(|line| !line.is_empty()) {
            *lines.entry(line.to_owned()).or_default() += 1;
        }
        lines
    };
    let (then, now) = (journal(contents.file(RootId::Main, JOURNAL)), journal(tree.file(RootId::Main, JOURNAL)));
    let mut newer = Newer::default();
    for (line, count) in &now {
        let more = count.saturating_sub(then.get(line).copied().unwrap_or_default());
        match serde_json::from_str::<Line>(line) {
            Ok(Line::Certificate(_)) => newer.certificates += more,
            Ok(Line::Crl(_)) => newer.lists += more,
            Err(_) => {}
        }
    }
    newer.unknown = then.iter().map(|(line, count)| count.saturating_sub(now.get(line).copied().unwrap_or(0))).sum();
    let files = |all: &super::Manifest| {
        let files = all.files.iter().filter(|one| one.path.as_str() != JOURNAL);
        files.map(|one| ((one.root, one.path.as_str().to_owned()), one.sha256)).collect::<BTreeMap<_, _>>()
    };
    let (then, now) = (files(&contents.manifest), files(&tree.manifest));
    let paths: BTreeSet<_> = then.keys().chain(now.keys()).filter(|path| then.get(*path) != now.get(*path)).collect();
    newer.changed = paths.into_iter().map(|(_, path)| path.clone()).collect();
    newer
}
