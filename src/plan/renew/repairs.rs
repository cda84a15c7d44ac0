//! Files that are written again without a signature: ca-signer.crt, and the CA data and the server of a kubeconfig whose credential
//! stays as it is.

use super::{Credential, Decision, Refusal, Skipped, moved};
use crate::catalog::CaId;
use crate::catalog::paths::SIGNER_ENTRY;
use crate::kubeconfig::{self, Credentials};
use crate::plan::signer_file;
use crate::tree::{Authorities, Authority, EntryId, Place, Survey, file};
use crate::x509::{Certificate, parse_authority};

/// One file to write again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    pub id: EntryId,
    pub place: Place,
    pub what: Rewritten,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewritten {
    /// `certificate-authority-data` of a kubeconfig, its `server`, or both.
    Kubeconfig { authority: bool, server: Option<String> },
    /// ca-signer.crt; `is_new`: there is none.
    SignerFile { is_new: bool },
}

/// The kubeconfigs that do not trust every certificate of ca.crt, or with an authority that signs here any other, or that have the server of an earlier profile, and whose credential is
/// not made again.
pub fn kubeconfigs(
    credentials: &[Credential],
    decisions: &[Decision],
    authorities: &Authorities,
    survey: &Survey,
    foreign: &[Refusal],
    former_servers: &[String],
) -> Vec<Repair> {
    let bundle = authorities.get(&CaId::Cluster).map_or(&[][..], Authority::bundle);
    let is_local = authorities.get(&CaId::Cluster).is_some_and(Authority::is_local);
    let wanted = |(credential, decision): (&Credential, &Decision)| {
        let place = credential.conf()?;
        let is_written = matches!(decision, Decision::Renew(_)) && credential.is_kubeconfig();
        let is_refused = matches!(decision, Decision::Skipped(Skipped::Refused(_), _));
        if is_written || is_refused || trusts_another(&credential.id, foreign) {
            return None;
        }
        let bytes = file(survey, Some(place))?;
        let read = kubeconfig::read(bytes).ok()?;
        let is_ours =
            is_local && matches!((decision, &read.credentials), (Decision::Keep(_), Credentials::Embedded { .. }));
        let is_other = lacks(&read.authority, bundle) || is_ours && differs(&read.authority, bundle);
        let authority = is_other && kubeconfig::editable(bytes).is_ok();
        let server = moved::server(credential, &read.server, former_servers);
        let server = server.filter(|server| kubeconfig::replace_cluster(bytes, None, Some(server)).is_ok());
        let what = Rewritten::Kubeconfig { authority, server };
        let is_due = what != Rewritten::Kubeconfig { authority: false, server: None };
        is_due.then(|| Repair { id: credential.id.clone(), place: place.clone(), what })
    };
    credentials.iter().zip(decisions).filter_map(wanted).collect()
}

/// ca-signer.crt where it does not hold the certificate that signs alone, and where there is none: below an intermediate, and
/// where the profile asks. `nodes`: those whose kube-controller-manager signs, with the file's place.
pub fn signer_files(
    nodes: Vec<(Option<String>, Place)>,
    is_asked: bool,
    authorities: &Authorities,
    survey: &Survey,
    foreign: &[Refusal],
) -> Vec<Repair> {
    let bundle = authorities.get(&CaId::Cluster).map_or(&[][..], Authority::bundle);
    let Some(signer) = bundle.first() else { return Vec::new() };
    let wanted = |(node, place): (Option<String>, Place)| {
        let id = EntryId { node, name: SIGNER_ENTRY.to_owned() };
        let is_due = match file(survey, Some(&place)) {
            Some(found) => !signer_file::is_the_signer(found, signer),
            None => is_asked || bundle.len() > 1,
        };
        let what = Rewritten::SignerFile { is_new: file(survey, Some(&place)).is_none() };
        (is_due && !trusts_another(&id, foreign)).then_some(Repair { id, place, what })
    };
    nodes.into_iter().filter_map(wanted).collect()
}

/// Data that does not hold every certificate. Without data a kubeconfig trusts a file, or the system's authorities.
pub(super) fn lacks(data: &[u8], bundle: &[Certificate]) -> bool {
    let found = parse_authority(data).unwrap_or_default();
    !data.is_empty() && bundle.iter().any(|own| !found.iter().any(|one| one.der == own.der))
}

/// Data that is not ca.crt, certificate for certificate.
pub(super) fn differs(data: &[u8], bundle: &[Certificate]) -> bool {
    let found = parse_authority(data).unwrap_or_default();
    !data.is_empty() && !found.iter().map(|one| &one.der).eq(bundle.iter().map(|one| &one.der))
}

/// What is in the tree is not what its node trusts.
fn trusts_another(id: &EntryId, foreign: &[Refusal]) -> bool {
    let is_its = |refusal: &Refusal| match refusal {
        Refusal::OtherAuthority { node, authority } => *authority == CaId::Cluster && id.node.as_ref() == Some(node),
        _ => false,
    };
    foreign.iter().any(is_its)
}
