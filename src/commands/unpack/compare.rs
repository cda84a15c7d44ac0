//! One file of the archive beside what lies in its place.

use super::contents::{Part, What};
use super::place::{Home, Target, place_of};
use super::verified;
use crate::catalog::paths::{DEFAULT_KUBELET_DIR, KUBELET_CONF, ROTATED_CLIENT};
use crate::catalog::{self, CaId};
use crate::encoding::{archive, pem};
use crate::error::Error;
use crate::files::{self, FileState};
use crate::kubeconfig;
use crate::plan::node::{self, NodeFile, kubelets_own};
use crate::plan::unpack::{Change, Older, older_certificate, older_list, rotated_kubelet_conf};
use crate::store::RootId;
use crate::workspace::crl_file::{self, List};
use crate::workspace::shipping::node_entries::NodeRootfs;
use crate::workspace::survey;
use crate::x509::{Certificate, parse_authority};
use zeroize::Zeroizing;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Same,
    Create,
    Replace,
    /// What lies there stays, though the archive's is another.
    Keep,
}

/// One file of the archive in its place.
pub struct Step<'a> {
    pub part: &'a Part,
    pub target: Target,
    pub action: Action,
    /// The new content.
    pub bytes: Zeroizing<Vec<u8>>,
    pub held: Vec<Certificate>,
    pub given: Vec<Certificate>,
    /// Of a file of CRLs.
    pub lists: Vec<List>,
    pub older: Option<Older>,
    /// What lies there, if it is newer.
    pub there: Option<Zeroizing<Vec<u8>>>,
    /// `--keep-newer`: its certificate and key are those that lie there.
    pub kept: bool,
}

impl Step<'_> {
    pub fn is_change(&self) -> bool {
        matches!(self.action, Action::Create | Action::Replace)
    }
}

/// `bytes`: what is to be there, which for profile and state is not what the archive has.
/// `embeds`: kubelet.conf is to embed its certificate, whatever it names there.
pub fn compare<'a>(
    home: &Home,
    part: &'a Part,
    target: Target,
    bytes: Zeroizing<Vec<u8>>,
    embeds: bool,
) -> Result<Step<'a>, Error> {
    let there = there(home, &target)?;
    let mut step = Step {
        part,
        target,
        action: Action::Create,
        bytes,
        held: Vec::new(),
        given: Vec::new(),
        lists: Vec::new(),
        older: None,
        there: None,
        kept: false,
    };
    let entry = catalog::find(&part.entry);
    if let (What::Public, KUBELET_CONF, Some(there)) = (part.what, part.entry.as_str(), &there) {
        let kept = rotated_kubelet_conf(there, &part.bytes).ok().flatten();
        let kept = kept.filter(|_| !embeds || has_its_own(home, &part.bytes));
        step.bytes = kept.unwrap_or_else(|| part.bytes.clone());
    }
    if part.what == What::Public {
        step.given = node::certificates(entry, &step.bytes);
        step.held = there.as_ref().map(|there| node::certificates(entry, there)).unwrap_or_default();
    }
    if let What::List(_) = part.what {
        step.lists = verified::lists(&part.bytes).unwrap_or_default();
    }
    let Some(there) = there else { return Ok(step) };
    if there == step.bytes && !is_open(home, part, &step.target)? {
        step.action = Action::Same;
        return Ok(step);
    }
    step.action = Action::Replace;
    step.older = match part.what {
        What::Public => {
            let own = |leaf: &&Certificate| entry.and_then(|entry| kubelets_own(entry, leaf)).is_some();
            let counts = step.held.first().filter(own).is_none();
            let bundle = CaId::parse(&part.entry).is_some();
            let change = Change { entry: &part.entry, held: &step.held, given: &step.given, bundle };
            older_certificate(&change).filter(|_| counts)
        }
        What::List(authority) => {
            let held = crl_file::read(&home.tree, &place_of(&step.target))?;
            let pairs = held.iter().flat_map(|held| step.lists.iter().map(move |given| (held, given)));
            let others = pairs.filter(|(held, given)| held.der != given.der);
            others.filter_map(|(held, given)| older_list(authority, &held.crl, &given.crl)).next()
        }
        _ => None,
    };
    // A lower number would be refused by whoever has seen the higher one, and what it revokes be in use again.
    if matches!(step.older, Some(Older::List { .. })) {
        step.action = Action::Keep;
    }
    step.there = step.older.is_some().then_some(there);
    Ok(step)
}

/// The kubelet has a certificate of the authority that signs now: kubelet.conf names it again, and may go on.
fn has_its_own(home: &Home, given: &[u8]) -> bool {
    let host = NodeRootfs::of(&home.tree.roots.main);
    let NodeFile::File(bytes) = host.file_at(&format!("{DEFAULT_KUBELET_DIR}/{ROTATED_CLIENT}")) else { return false };
    let own = pem::read(&bytes).ok().and_then(|blocks| {
        let first = blocks.into_iter().find(|block| block.label.is("CERTIFICATE"))?;
        Certificate::parse(&first.contents).ok()
    });
    let signer =
        kubeconfig::read(given).ok().and_then(|read| parse_authority(&read.authority).ok()?.into_iter().next());
    own.zip(signer).is_some_and(|(own, signer)| own.signed_by(&signer).is_ok())
}

/// It is for its owner alone, and others can read what lies there: it is written again.
fn is_open(home: &Home, part: &Part, target: &Target) -> Result<bool, Error> {
    if part.mode & 0o077 != 0 {
        return Ok(false);
    }
    let Some(dir) = survey::root(&home.tree.roots, target.root)? else { return Ok(false) };
    let found = files::read(&dir, &target.path, u64::try_from(archive::LIMIT).unwrap_or(u64::MAX))?;
    Ok(matches!(found, FileState::File { mode, .. } if mode & 0o007 != 0))
}

/// What lies in the place; a CRL may be larger than the archive's.
pub fn there(home: &Home, target: &Target) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let roots = &home.tree.roots;
    if target.root == RootId::State || !crate::revocation::is_crl_file(target.path.as_str()) {
        return survey::read(roots, target.root, &target.path);
    }
    let Some(dir) = survey::root(roots, target.root)? else { return Ok(None) };
    match files::read(&dir, &target.path, u64::try_from(archive::LIMIT).unwrap_or(u64::MAX)) {
        Ok(FileState::File { bytes, .. }) => Ok(Some(bytes)),
        Ok(FileState::Missing) => Ok(None),
        Err(why) if matches!(why.kind, files::Kind::TooLarge(_)) => Ok(Some(Zeroizing::default())),
        Err(why) => Err(why.into()),
    }
}
