//! Which command of kpki puts right what is wrong with an item; `report` has the words around it.

use super::judged::{Judged, JudgedTree};
use super::problem::{Problem, rotates};
use super::state::State;
use crate::catalog::paths::SIGNER_ENTRY;
use crate::catalog::{self, CaId, Files};
use crate::inventory::{Item, Kind, Reading};

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// Nothing that kpki does.
    None,
    /// A new certificate, by name: signed here, or by an issuer that is asked.
    Renew,
    /// The next certificate of an authority for the same key.
    RenewAuthority,
    /// A new certificate, after a kubeconfig that names files is moved away.
    Replace,
    /// A request for the owner of an authority whose key is not here.
    Request,
    /// `kpki init`: files without a certificate of their own.
    Make,
    /// `kpki init --force`: the same for one that is there, but is not right.
    MakeAnew,
    /// The next CRL.
    List(CaId),
    /// It is written again by `kpki import`, which sorts it.
    Import,
    Release,
}

pub(super) fn remedy(problem: Problem, tree: &JudgedTree, judged: &Judged) -> Remedy {
    if !tree.origin.is_tree() {
        return Remedy::None;
    }
    match problem {
        Problem::Expired
        | Problem::Ending
        | Problem::Revoked
        | Problem::WrongIssuer
        | Problem::KeyMismatch
        | Problem::KeyUnusable
        | Problem::KubeletClientExpired
        | Problem::KubeletClientUnusable
        | Problem::Missing
        | Problem::Unreadable
        | Problem::External
        | Problem::CrlEnding
        | Problem::OtherCrl
        | Problem::Serial
        | Problem::TooOld => new(tree, judged),
        // What a kubeconfig trusts is replaced without a signature.
        Problem::CutAuthorityData => Remedy::Renew,
        Problem::AuthorityExpired | Problem::AuthorityEnding => Remedy::RenewAuthority,
        // The cluster directory has it.
        Problem::AuthorityMissing if tree.id("").node.is_some() => Remedy::Make,
        Problem::SignerFile | Problem::ServiceAccountMismatch => Remedy::MakeAnew,
        Problem::LeafNotFirst | Problem::Repeated => Remedy::Import,
        Problem::Held => Remedy::Release,
        Problem::AuthorityMissing
        | Problem::AuthorityReplaced
        | Problem::ExternalAuthorityEnding
        | Problem::NotYetValid
        | Problem::AuthorityKeyMismatch
        | Problem::CopyDiffers
        | Problem::AuthorityKeyUnusable
        | Problem::Locked
        | Problem::Foreign
        | Problem::OutlivesAuthority
        | Problem::CutsRenewalsShort
        | Problem::SharedAuthority
        | Problem::KubeletEmbedsAnother => Remedy::None,
    }
}

/// A new certificate, list or file in the place of this one.
fn new(tree: &JudgedTree, judged: &Judged) -> Remedy {
    let item = &judged.item;
    let entry = entry(item);
    let is_pair = catalog::find(entry).is_some_and(|entry| matches!(entry.files, Files::KeyPair(_)));
    let is_external = item.externally_managed || item.authority.is_some_and(|ca| is_elsewhere(tree, ca));
    match item.kind {
        Kind::Crl if is_external => Remedy::None,
        Kind::Crl => item.authority.map_or(Remedy::None, Remedy::List),
        _ if is_pair && item.owner_of_key().is_some() => Remedy::None,
        // In a cluster directory the nodes' copies are made anew with it.
        _ if is_pair && item.reading == Reading::Missing && tree.node.is_none() => Remedy::MakeAnew,
        _ if (is_pair || entry == SIGNER_ENTRY) && item.reading == Reading::Missing => Remedy::Make,
        _ if is_pair || entry == SIGNER_ENTRY => Remedy::MakeAnew,
        Kind::Authority => Remedy::None,
        _ if item.authority.is_some_and(|ca| is_another(tree, ca)) => Remedy::None,
        // An issuer is asked by the same command.
        _ if is_external && !item.has_issuer => Remedy::Request,
        Kind::Kubeconfig if is_in_a_file(tree, judged) => Remedy::Replace,
        _ => Remedy::Renew,
    }
}

/// The key of the authority is not in the tree.
fn is_elsewhere(tree: &JudgedTree, authority: CaId) -> bool {
    own(tree, authority).is_some_and(|judged| judged.item.externally_managed)
}

/// The node has another than its cluster directory: nothing is signed for it before that is put right.
fn is_another(tree: &JudgedTree, authority: CaId) -> bool {
    own(tree, authority).is_some_and(|judged| judged.state == State::DiffersFromCa)
}

fn own(tree: &JudgedTree, authority: CaId) -> Option<&Judged> {
    let is_it = |judged: &&Judged| judged.item.name == authority.name() && judged.item.kind == Kind::Authority;
    tree.items.iter().find(is_it)
}

/// A kubeconfig that names where its credential is, but for what is renewed in its place: a pair of files of the tree. The
/// kubelet's own is another matter.
fn is_in_a_file(tree: &JudgedTree, judged: &Judged) -> bool {
    let path = &judged.item.path;
    let is_pair = path.starts_with(&tree.root) && path.ends_with(".crt");
    !rotates(judged) && !is_pair && !path.ends_with(entry(&judged.item))
}

/// The entry that an item is of: `apiserver[key]` and a further user of a kubeconfig are part of one.
pub(super) fn entry(item: &Item) -> &str {
    item.name.split_once('[').map_or(item.name.as_str(), |(entry, _)| entry)
}

/// There is no certificate that a new one could be like: of the kubelet's there is none in kubelet.conf.
pub(super) fn is_without_certificate(judged: &Judged) -> bool {
    if rotates(judged) {
        return true;
    }
    let is_key = judged.item.owner_of_key().is_some();
    !is_key && !matches!(judged.item.reading, Reading::Certificate(_))
}
