//! What is wrong with an item: kinds of findings.

use super::judged::{Judged, JudgedTree, Note};
use super::state::State;
use crate::catalog::paths::{KUBELET_CONF, SIGNER_ENTRY};
use crate::catalog::{self, CaId, Files};
use crate::encrypted::EncryptionError;
use crate::inventory::{Item, Kind, Reading, Unreadable};

/// Kinds of findings, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    AuthorityExpired,
    AuthorityEnding,
    /// The same, while its successor is being brought in.
    AuthorityReplaced,
    /// An authority or what it signs, and its key is elsewhere.
    ExternalAuthorityEnding,
    External,
    Revoked,
    Held,
    /// The tree's own, past their end.
    Expired,
    /// The kubelet renews its client certificate itself.
    KubeletClientExpired,
    /// One that is not in order in another way: it can be made anew only.
    KubeletClientUnusable,
    NotYetValid,
    /// Kubeconfigs that do not trust all of ca.crt.
    CutAuthorityData,
    /// ca-signer.crt is not what signs.
    SignerFile,
    /// Signed by another authority than the tree's.
    WrongIssuer,
    /// The key beside it is another's; of an authority, and of sa.pub.
    KeyMismatch,
    AuthorityKeyMismatch,
    ServiceAccountMismatch,
    /// The key beside it is not there, or nobody can use it; of an authority.
    KeyUnusable,
    AuthorityKeyUnusable,
    /// A node's copy of what the cluster directory has is another.
    CopyDiffers,
    /// A file begins with a certificate of its chain, so that the key seems to be another's.
    LeafNotFirst,
    AuthorityMissing,
    Missing,
    Unreadable,
    /// Behind a password that was not given, or was not the right one.
    Locked,
    CrlEnding,
    /// etcd's CRL in DER is not its CRL.
    OtherCrl,
    /// The tree's own, near their end.
    Ending,
    /// Found by walking: issued by others.
    Foreign,
    OutlivesAuthority,
    CutsRenewalsShort,
    /// One authority in two places.
    SharedAuthority,
    /// kubelet.conf has another credential than the one the kubelet uses.
    KubeletEmbedsAnother,
    /// One certificate twice in a file.
    Repeated,
    /// A serial number that is no positive number.
    Serial,
    /// Older than renewal.maxAge.
    TooOld,
}

#[cfg(any(test, feature = "internals"))]
impl Problem {
    /// Every kind.
    pub const ALL: [Self; 36] = [
        Self::AuthorityExpired,
        Self::AuthorityEnding,
        Self::AuthorityReplaced,
        Self::ExternalAuthorityEnding,
        Self::External,
        Self::Revoked,
        Self::Held,
        Self::Expired,
        Self::KubeletClientExpired,
        Self::KubeletClientUnusable,
        Self::NotYetValid,
        Self::CutAuthorityData,
        Self::SignerFile,
        Self::WrongIssuer,
        Self::KeyMismatch,
        Self::AuthorityKeyMismatch,
        Self::ServiceAccountMismatch,
        Self::KeyUnusable,
        Self::AuthorityKeyUnusable,
        Self::CopyDiffers,
        Self::LeafNotFirst,
        Self::AuthorityMissing,
        Self::Missing,
        Self::Unreadable,
        Self::Locked,
        Self::CrlEnding,
        Self::OtherCrl,
        Self::Ending,
        Self::Foreign,
        Self::OutlivesAuthority,
        Self::CutsRenewalsShort,
        Self::SharedAuthority,
        Self::KubeletEmbedsAnother,
        Self::Repeated,
        Self::Serial,
        Self::TooOld,
    ];
}

/// What is wrong with it, and what is remarked.
pub(super) fn problems(tree: &JudgedTree, judged: &Judged) -> Vec<Problem> {
    let mut problems: Vec<Problem> = of_state(tree, judged).into_iter().collect();
    problems.extend(judged.notes.iter().filter_map(|note| match note {
        Note::OutlivesAuthority { .. } => Some(Problem::OutlivesAuthority),
        Note::CutsRenewalsShort { .. } => Some(Problem::CutsRenewalsShort),
        Note::SharedAuthority { .. } => Some(Problem::SharedAuthority),
        Note::KubeletEmbedsAnother => Some(Problem::KubeletEmbedsAnother),
        Note::Repeated => Some(Problem::Repeated),
        Note::Serial => Some(Problem::Serial),
        Note::TooOld { .. } => Some(Problem::TooOld),
        // A rotation goes on by its own steps.
        Note::Replaced | Note::Successor | Note::Retiring | Note::SignedByRetiring => None,
    }));
    problems
}

fn is_locked(item: &Item) -> bool {
    use Unreadable::{Locked, NoPassword};
    let Reading::Unreadable(why) = &item.reading else { return false };
    matches!(why, NoPassword(_) | Locked { why: EncryptionError::WrongPassword, .. })
}

fn of_state(tree: &JudgedTree, judged: &Judged) -> Option<Problem> {
    let item = &judged.item;
    let is_signer = item.name == SIGNER_ENTRY;
    let known = item.authority.is_some() || item.externally_managed || is_signer || catalog::find(&item.name).is_some();
    let ours = tree.origin.is_tree() && known;
    let is_authority = item.kind == Kind::Authority;
    // sa.key has no certificate that could be made again.
    let is_pair = |owner: &str| catalog::find(owner).is_none_or(|entry| !matches!(entry.files, Files::KeyPair(_)));
    let is_key = item.owner_of_key().is_some_and(is_pair);
    Some(match judged.state {
        State::Absent | State::Ok => return None,
        State::NotYetValid => Problem::NotYetValid,
        State::DiffersFromCa if is_signer => Problem::SignerFile,
        State::DiffersFromCa if is_authority => Problem::CopyDiffers,
        State::DiffersFromCa => Problem::CutAuthorityData,
        State::WrongIssuer | State::KeyMismatch | State::Revoked | State::Unreadable | State::Missing
            if rotates(judged) =>
        {
            Problem::KubeletClientUnusable
        }
        State::WrongIssuer => Problem::WrongIssuer,
        State::KeyMismatch if is_authority && CaId::parse(&item.name).is_none() => Problem::LeafNotFirst,
        State::KeyMismatch if is_authority => Problem::AuthorityKeyMismatch,
        State::KeyMismatch if item.reading == Reading::Unreadable(Unreadable::OtherCopy) => Problem::CopyDiffers,
        State::KeyMismatch if matches!(item.reading, Reading::Unreadable(_)) => Problem::ServiceAccountMismatch,
        State::KeyMismatch => Problem::KeyMismatch,
        State::Unreadable if is_locked(item) => Problem::Locked,
        State::Unreadable if matches!(item.reading, Reading::Unreadable(Unreadable::OtherCrl)) => Problem::OtherCrl,
        State::Missing | State::Unreadable if is_key && is_authority => Problem::AuthorityKeyUnusable,
        State::Missing | State::Unreadable if is_key => Problem::KeyUnusable,
        State::Unreadable => Problem::Unreadable,
        State::Revoked => Problem::Revoked,
        State::Held => Problem::Held,
        State::Missing if is_signer => Problem::Missing,
        State::Missing if is_authority => Problem::AuthorityMissing,
        State::Missing if item.externally_managed => Problem::External,
        State::Missing => Problem::Missing,
        State::Warning | State::Critical | State::Expired => match (item.kind, judged.state) {
            (Kind::Crl, _) => Problem::CrlEnding,
            // Said by its note.
            _ if judged.notes.iter().any(|note| matches!(note, Note::TooOld { is_alone: true, .. })) => return None,
            _ if !ours => Problem::Foreign,
            _ if judged.notes.contains(&Note::Replaced) => Problem::AuthorityReplaced,
            _ if is_authority && item.externally_managed => Problem::ExternalAuthorityEnding,
            (Kind::Authority, State::Expired) => Problem::AuthorityExpired,
            (Kind::Authority, _) => Problem::AuthorityEnding,
            (_, State::Expired) if rotates(judged) => Problem::KubeletClientExpired,
            _ if item.externally_managed => Problem::External,
            (_, State::Expired) => Problem::Expired,
            _ if rotates(judged) => return None,
            _ => Problem::Ending,
        },
    })
}

/// kubelet.conf names the kubelet's own rotating file: near its end the kubelet renews it, past it it cannot.
pub(super) fn rotates(judged: &Judged) -> bool {
    judged.item.name == KUBELET_CONF && !judged.item.path.ends_with(KUBELET_CONF)
}
