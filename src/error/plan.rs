//! Messages: how existing files contradict the plan of `init`.

use std::path::Path;

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::catalog::paths::FINALIZE;
use crate::clock::{length, rfc3339};
use crate::files::shell_path;
use crate::plan::changed::missing;
use crate::plan::decision::{Decision, Difference, Notice, Reconciled, Refusal, Takes};
use crate::plan::item::Item;
use crate::plan::outside::Outside;
use crate::profile::Profile;
use crate::store::Roots;
use crate::tree::layout::Place;
use crate::tree::{Origin, Unusable};
use crate::x509::PathError;

use super::failure::Error;
use super::nouns::mended;

/// The tree's facts for messages.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub directory: &'a Path,
    /// The same, for commands.
    pub origin: &'a Origin,
    /// Says who has an issuer.
    pub profile: Option<&'a Profile>,
    pub roots: &'a Roots,
    /// `--force` was given, so that it is not a hint.
    pub force: bool,
}

impl Context<'_> {
    /// A place's path: below DIR, or whole where it is outside.
    pub(super) fn shown(&self, place: &Place) -> String {
        place.shown(self.roots)
    }
}

/// Everything that makes an `init` impossible as one error; `None`: nothing does.
pub fn refusal(context: &Context<'_>, items: &[Item], reconciled: &Reconciled) -> Option<Error> {
    let directory = context.directory.display();
    let what = |reason: &str| format!("cannot make the tree in {directory}: {reason}; nothing was written");
    if !reconciled.refusals.is_empty() {
        let waits = |refusal: &Refusal| matches!(refusal, Refusal::AuthorityRequested { .. });
        let reason = match reconciled.refusals.iter().all(waits) {
            true => "an authority waits for its certificate",
            false => "an authority or shared key is missing or not valid",
        };
        let error = Error::new(what(reason)).causes(reconciled.refusals.iter().map(|one| refused(context, one)));
        return Some(reconciled.refusals.iter().filter_map(given_up).fold(error, Error::hint));
    }
    let (mut conflicts, mut unsignable, mut requested, mut issued) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut forcible, mut keyless) = (false, false);
    for (item, decision) in items.iter().zip(&reconciled.decisions) {
        let place = context.shown(&item.public);
        // A missing certificate of an external authority is not refused: a request is made.
        if let Decision::Conflict(differences, signer) = decision {
            let mut list: Vec<String> = differences.iter().map(difference).collect();
            list.extend(signer.as_ref().map(outside));
            let has_issuer = context.profile.is_some_and(|profile| item.issuer(profile).is_some());
            keyless |= matches!(signer, Some(Outside::Key(_))) && !has_issuer;
            forcible |= signer.is_none();
            let list = format!("{} ({place}): {}", item.id, list.join("; "));
            if signer.is_some() {
                unsignable.push(list);
                let is_closed = matches!(signer, Some(Outside::Closed(_)));
                let asked = if has_issuer { &mut issued } else { &mut requested };
                asked.extend((!is_closed).then(|| item.id.to_string()));
            } else {
                conflicts.push(list);
            }
        }
    }
    if conflicts.is_empty() && unsignable.is_empty() {
        return None;
    }
    let count = conflicts.len() + unsignable.len();
    let entries = if count == 1 { "1 entry does".to_owned() } else { format!("{count} entries do") };
    let mut error = Error::new(what(&format!("{entries} not fit the profile")));
    error.why = conflicts.into_iter().chain(unsignable.iter().cloned()).collect();
    for notice in &reconciled.notices {
        if let Notice::Closed { why, .. } = notice {
            error = why.hint().into_iter().fold(error.because(why), Error::hint);
        }
    }
    if !issued.is_empty() {
        error = error
            .hint(format!("have the issuer asked for new ones: {}", context.origin.command("renew", &issued, &[])));
    }
    if !requested.is_empty() {
        if keyless {
            error = error.hint("put the authority's key beside its certificate, if it may be stored here");
        }
        let or = if keyless { "or keep the authority external, and " } else { "" };
        let request = context.origin.command("csr", &requested, &[]);
        error = error
            .hint(format!("{or}make a key and a request for each of these entries: {request}"))
            .hint("have the authority's owner sign them")
            .hint(format!("put the certificates in place: {}", context.origin.command("import", &["CERT..."], &[])));
    }
    let lacking = |decision: &Decision| match decision {
        Decision::Conflict(differences, _) => missing(differences).is_some(),
        _ => true,
    };
    if forcible && unsignable.is_empty() && reconciled.decisions.iter().all(lacking) {
        error = error.hint(format!("re-issue what lacks names: {}", renew_due(context)));
    }
    if forcible && !context.force {
        error = error.hint(
            "re-issue what does not fit with --force (replaced files are kept in .kpki/generations), or change the profile",
        );
    }
    Some(error)
}

/// The command that follows a change of the profile.
pub(super) fn renew_due(context: &Context<'_>) -> String {
    context.origin.whole().command_by_profile("renew", &["all"], &["--due"])
}

/// How a request that nobody is to sign is put aside.
fn given_up(refusal: &Refusal) -> Option<String> {
    let Refusal::AuthorityRequested { item, key, .. } = refusal else { return None };
    let (key, aside) = (shell_path(key), shell_path(format!("{}.unused", key.display())));
    Some(format!(
        "or have a self-signed {item} made: put the key of its request aside, and run this again: mv {key} {aside}"
    ))
}

/// How a private key gets out of the file of an authority's certificate.
pub(super) fn take_out(file: &Path, authority: &str, origin: &Origin) -> String {
    let file = file.display().to_string();
    format!("leave only the certificates in it: {}", origin.command("import", &[file], &["--as", authority]))
}

pub(super) fn refused(context: &Context<'_>, refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::AuthorityCertificateMissing { item, key } => (
            format!("{item}: {} exists but its certificate does not", key.path),
            "restore the authority's certificate, or move its key away to make a new authority".to_owned(),
        ),
        Refusal::AuthorityRequested { item, request, key } => (
            format!(
                "{item}: another authority is to sign it: its key waits in {} for a certificate, and a self-signed one would take \
                 its place",
                key.display()
            ),
            format!(
                "have {} signed, and put the certificate in place: {}",
                request.display(),
                context.origin.command("import", &["CERT"], &[])
            ),
        ),
        Refusal::AuthorityElsewhere { item } => (
            format!("{item}: its certificate is not here, and its key is with its issuer (authorities.{item}.issuer)"),
            format!(
                "put its certificate in place first: {}",
                context.origin.command_by_profile("import", &["CERT"], &["--as", item])
            ),
        ),
        Refusal::AuthorityWithKey { item, file } => (
            format!("{item}: a private key is in {}, which is copied to the nodes and readable for everybody", file.path),
            take_out(&file.full(context.roots), item, context.origin),
        ),
        Refusal::AuthorityUnreadable { item, why } => (
            format!("{item}: its certificate cannot be read: {why}"),
            "restore the certificate (PEM, the signing certificate first)".to_owned(),
        ),
        Refusal::AuthorityUnusable { item, why } => (
            format!("{item}: {why}"),
            match CaId::parse(item) {
                Some(id) => mended(id, &Unusable::Ca(why.clone()), context.origin),
                None => "put the matching certificate and key of a certificate authority in place".to_owned(),
            },
        ),
        Refusal::AuthorityExpired { item, not_after } => (
            format!("{item}: the authority expired at {}; its certificates would not be accepted", rfc3339(*not_after)),
            format!("if its key is not suspected, renew it with the same key, with kpki renew {item}"),
        ),
        Refusal::AuthorityNotYetValid { item, not_before } => (
            format!("{item}: the authority is not valid before {}", rfc3339(*not_before)),
            "check the clock, or wait".to_owned(),
        ),
        Refusal::ServiceAccountKeyMissing => (
            "sa: sa.pub exists but sa.key does not".to_owned(),
            "restore sa.key, or move sa.pub away to make a new pair (every service account token becomes invalid)"
                .to_owned(),
        ),
        Refusal::SharedMissing { item, still } => (
            format!(
                "{item} is missing while {} still there: a new one would invalidate {}",
                few(still, "is", "are"),
                if still.len() == 1 { "it" } else { "them" }
            ),
            "restore it (there may be a copy on a control-plane node, or in nodes/NAME/pki), or give another --dir for a new cluster"
                .to_owned(),
        ),
        Refusal::NotPermitted { item, names } => (
            format!(
                "authorities.{item}.permittedNames: {} not in it, and this cluster's certificates are to be valid for {}",
                few(names, "is", "are"),
                if names.len() == 1 { "it" } else { "them" }
            ),
            "permit every name, node and address of the cluster, or omit that kind (names or addresses)".to_owned(),
        ),
        Refusal::SharedAuthority { item, with } => (
            format!(
                "{item} has the key of {with}: every client certificate of the one is trusted in place of the other's, so that \
                 any kubelet's could write all of etcd, or act as any user"
            ),
            "give it an authority of its own, or accept that with --allow-shared-ca".to_owned(),
        ),
        Refusal::SharedElsewhere { items } => (
            format!("{} missing: this node shares them with the cluster's other control-plane nodes", few(items, "is", "are")),
            "copy pki/ca.*, pki/front-proxy-ca.*, pki/sa.* and pki/etcd/ca.* from the first control-plane node, or make the \
             cluster directory on a safe host, without --node"
                .to_owned(),
        ),
        Refusal::ServiceAccountKeyUnreadable(why) => {
            (format!("sa: sa.key cannot be read: {why}"), "restore sa.key (PEM: PKCS#1, SEC1 or PKCS#8)".to_owned())
        }
    }
}

/// Who would have to sign.
pub fn outside(outside: &Outside) -> String {
    match outside {
        Outside::Key(authority) => format!("the key of its signer {} is not in this tree", authority.name()),
        Outside::Closed(authority) => format!("the key of its signer {} could not be opened", authority.name()),
        Outside::Authority => "its authority is external".to_owned(),
    }
}

/// One difference between an existing file and the profile.
pub fn difference(difference: &Difference) -> String {
    let list = |values: &[String]| values.join(", ");
    match difference {
        Difference::Unreadable(why) => format!("cannot be read: {why}"),
        Difference::CertificateMissing => "the key exists but the certificate is missing".to_owned(),
        Difference::KeyMissing => "the certificate exists but the key is missing".to_owned(),
        Difference::KeyUnreadable(why) => format!("the key cannot be read: {why}"),
        Difference::KeyMismatch => "the key does not match the certificate".to_owned(),
        Difference::Path(authority, PathError::NoPath { issuer }) => {
            format!("signed by {issuer}, not by this tree's {}", authority.name())
        }
        Difference::Path(_, why) if why.is_about_dates() => why.to_string(),
        Difference::Path(authority, why) => format!("not signed by this tree's {}: {why}", authority.name()),
        Difference::Expired(at) => format!("expired at {}", rfc3339(*at)),
        Difference::NotYetValid(at) => format!("not valid before {}", rfc3339(*at)),
        Difference::MissingNames(sans) => {
            format!("missing names: {}", list(&sans.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        Difference::WrongAuthorityData => "its certificate-authority-data is not this tree's ca".to_owned(),
        Difference::OtherAccess(what) => what.clone(),
        Difference::NotTheSharedFile => "differs from the shared file in pki/".to_owned(),
        Difference::NotTheSigner => "it is not the first certificate of ca.crt alone".to_owned(),
        Difference::NotThePublicHalf => "sa.pub does not contain the public key of sa.key".to_owned(),
        Difference::Certificate(mismatch) => mismatch.to_string(),
    }
}

/// `a`, `a and b`, `a, b and 5 more`, with the verb that goes with it.
fn few(names: &[String], one: &str, several: &str) -> String {
    match names {
        [] => String::new(),
        [only] => format!("{only} {one}"),
        [first, second] => format!("{first} and {second} {several}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more {several}", rest.len()),
    }
}

/// Warnings about single entries; the same shortening of many is one line with a count.
pub fn notices(notices: &[Notice], context: &Context<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let shortened = notices.iter().filter_map(|notice| match notice {
        Notice::Shortened { item, not_after, .. } => Some((item.clone(), *not_after)),
        _ => None,
    });
    let (names, ends): (Vec<String>, Vec<OffsetDateTime>) = shortened.unzip();
    if let Some(end) = ends.first() {
        let (names, end) = (few(&names, "is", "are"), rfc3339(*end));
        lines.push(format!("{names} shortened to the authority's notAfter {end}, sooner than in the profile"));
    }
    for notice in notices {
        lines.push(match notice {
            Notice::Shortened { .. }
            | Notice::OtherAlgorithm { .. }
            | Notice::OtherLifetime { .. }
            | Notice::LacksNames { .. }
            | Notice::FormerServer { .. } => continue,
            Notice::OtherServer { item, found, wanted } => {
                format!("{item} has the server {found}, the profile {wanted}; it is kept (--force re-issues it)")
            }
            Notice::Surplus { item, what } => {
                format!("{item} has more than the profile ({}); it is kept", what.join(", "))
            }
            Notice::Readable { place, mode } => format!(
                "{} holds a private key and can be read by others (mode {mode:04o}); fix it with: chmod 600 {}",
                context.shown(place),
                shell_path(place.full(context.roots))
            ),
            Notice::Closed { why, items } => {
                let hint = why.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("{why}; {}{hint}", few(items, "is left", "are left"))
            }
            Notice::OthersNeedShared { items } => format!(
                "{} new: the other control-plane nodes need the same before their trees can be made; a cluster directory \
                 (without --node) holds every node's tree",
                few(items, "is", "are")
            ),
            Notice::Requested { items } => requested(items, context.origin),
            Notice::KubeletUsesItsOwn { item } => format!(
                "{item} embeds another certificate than the one that the kubelet uses and rotates; it is kept; let it point to the \
                 kubelet's, on the node: {FINALIZE}"
            ),
            Notice::KubeletRotates { item } => {
                format!("{item} points to the kubelet's own rotating certificate; it is not changed")
            }
        });
    }
    lines.extend(changed(notices, context));
    lines.extend(kept(notices, context));
    lines
}

/// What a renewal adds to existing files: what is the same of many is one line.
fn changed(notices: &[Notice], context: &Context<'_>) -> Vec<String> {
    let mut groups: Vec<([&str; 2], String, Vec<String>)> = Vec::new();
    for notice in notices {
        let (item, verbs, what) = match notice {
            Notice::LacksNames { item, names } => {
                (item, ["lacks", "lack"], format!("{} of the profile", names.join(", ")))
            }
            Notice::FormerServer { item, found, wanted } => {
                (item, ["has", "have"], format!("the server {found}, the profile has {wanted} now"))
            }
            _ => continue,
        };
        match groups.iter_mut().find(|group| group.1 == what) {
            Some(group) => group.2.push(item.clone()),
            None => groups.push((verbs, what, vec![item.clone()])),
        }
    }
    let line = |([one, several], what, items): ([&str; 2], String, Vec<String>)| {
        format!("{} {what}; kept until changed with: {}", few(&items, one, several), renew_due(context))
    };
    groups.into_iter().map(line).collect()
}

/// Certificates that were made here although they were requested elsewhere.
pub fn requested(items: &[String], origin: &Origin) -> String {
    let (a_request, it, its) = match items {
        [_] => ("a request", "it", "certificate"),
        _ => ("requests", "them", "certificates"),
    };
    format!(
        "{a_request} for {} in .kpki/requests, and the authority here signs all the same; to use what another signs for {it}, put \
         the {its} in place: {}",
        few(items, "waits", "wait"),
        origin.command("import", &["CERT..."], &[])
    )
}

/// What the profile says and existing files do not have: what is the same of many is one line.
fn kept(notices: &[Notice], context: &Context<'_>) -> Vec<String> {
    let mut groups: Vec<(Takes, [&str; 2], String, Vec<String>)> = Vec::new();
    for notice in notices {
        let (item, takes, verbs, what) = match notice {
            Notice::OtherAlgorithm { item, found, wanted, takes } => {
                (item, *takes, ["has", "have"], format!("a key of kind {found}, the profile says {wanted}"))
            }
            Notice::OtherLifetime { item, found, wanted, takes } => {
                let what = format!("valid for {}, the profile says {}", length(*found), length(*wanted));
                (item, *takes, ["is", "are"], what)
            }
            _ => continue,
        };
        match groups.iter_mut().find(|group| (group.0, &group.2) == (takes, &what)) {
            Some(group) => group.3.push(item.clone()),
            None => groups.push((takes, verbs, what, vec![item.clone()])),
        }
    }
    let line = |(takes, [one, several], what, items): (Takes, [&str; 2], String, Vec<String>)| {
        let than = match takes {
            Takes::Never => "kept: what an authority signed depends on it; plan a rotation".to_owned(),
            Takes::AtRenewal => {
                let all = ["all".to_owned()];
                let names = if items.len() > 2 { &all[..] } else { &items };
                format!("kept until the next renewal; now with: {}", context.origin.command("renew", names, &[]))
            }
        };
        format!("{} {what}; {than}", few(&items, one, several))
    };
    groups.into_iter().map(line).collect()
}
