//! Messages: why something is renewed, skipped or refused.

use std::path::Path;

use crate::blueprint::{ExtendedKeyUsage, San};
use crate::catalog::CaId;
use crate::catalog::paths::{FINALIZE, ROTATED_CLIENT};
use crate::clock::{Span, length, rfc3339};
use crate::encoding::shown::named;
use crate::kubeconfig::KubeconfigError;
use crate::plan::outside::Outside;
use crate::plan::renew::{Reason, Refusal, Rewritten, Skipped, Unwell};
use crate::programs::Ended;
use crate::tree::{Origin, Place, Unusable};
use crate::x509::BundleError;

use super::failure::Error;
use super::nouns::mended;
use super::plan::take_out;

/// Why a certificate is renewed.
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Requested => "requested".to_owned(),
        Reason::Window { left } => format!("due, {} left", length(*left)),
        Reason::Age { age, most } => format!("due, {} old (renewal.maxAge is {})", length(*age), most.0),
        Reason::Expired(at) => format!("expired at {}", rfc3339(*at)),
        Reason::NotYetValid(at) => format!("not valid before {}", rfc3339(*at)),
        Reason::Revoked(at) => format!("revoked since {}", rfc3339(*at)),
        Reason::Missing => "missing".to_owned(),
        Reason::KeyMissing => "its key is missing".to_owned(),
        Reason::KeyUnreadable(why) => format!("its key cannot be read: {why}"),
        Reason::KeyMismatch => "its key does not match it".to_owned(),
        Reason::Unreadable(why) => format!("it cannot be read: {why}"),
        Reason::MissingNames(names) => format!("the profile adds {}", list(names)),
        Reason::SurplusNames(names) => format!("the profile does not have {}", list(names)),
        Reason::MissingUsages(usages) => {
            let usages: Vec<&str> = usages.iter().map(ExtendedKeyUsage::name).collect();
            format!("it lacks the usage {}", usages.join(", "))
        }
        Reason::EarlierAuthority(name) => {
            format!("signed by {name}, which is still trusted but does not sign any more")
        }
        Reason::WrongIssuer(name) => format!("signed by {name}, and not by the authority in the tree"),
        Reason::Path(why) => why.to_string(),
        Reason::AuthorityData => "its certificate-authority-data is not ca.crt".to_owned(),
    }
}

fn list(names: &[San]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why a certificate is not renewed, and the next step. `has_issuer`: a program has it issued.
pub fn left(left: &Skipped, name: &str, origin: &Origin, has_issuer: bool) -> String {
    let renew = || origin.command("renew", &[name], &[]);
    let elsewhere = |signer: &Outside| {
        let why = super::plan::outside(signer);
        match has_issuer {
            true => format!("{why}; have its issuer asked with: {}", renew()),
            false => format!("{why}; make a request for its owner with: {}", origin.command("csr", &[name], &[])),
        }
    };
    match left {
        Skipped::External(signer) => elsewhere(signer),
        Skipped::ExternalInWindow(authority) => elsewhere(&Outside::Key(*authority)),
        Skipped::Closed(signer, _) => super::plan::outside(&Outside::Closed(*signer)),
        Skipped::AuthorityMissing(authority) => {
            format!("its authority {} is missing; restore {}.crt", authority.name(), authority.stem())
        }
        Skipped::AuthorityElsewhere(authority) => format!(
            "the certificate of its authority {} is not here; put it in place: {}",
            authority.name(),
            origin.command("import", &["CERT"], &["--as", authority.name()])
        ),
        Skipped::AuthorityRequested(authority, request) => format!(
            "its authority {} waits for a certificate; have {} signed, and put it in place: {}",
            authority.name(),
            request.display(),
            origin.command("import", &["CERT"], &[])
        ),
        Skipped::NodeMissing(node) => format!(
            "{node} has no files here yet; make them all, with the authorities it needs: {}",
            origin.whole().command_by_profile("init", &[""; 0], &[])
        ),
        Skipped::NotOurs(issuer) => format!(
            "signed by {issuer}, which is not in this tree; have its issuer renew it, or replace it with: {}",
            origin.command_by_profile("init", &[""; 0], &["--force"])
        ),
        Skipped::KubeletsOwn => "the kubelet signed it itself and renews it".to_owned(),
        Skipped::KubeletRotates(path) => format!("it points to {path}, which the kubelet rotates itself"),
        Skipped::KubeletUsesItsOwn => format!(
            "the kubelet uses {ROTATED_CLIENT}, which it rotates itself, whatever this file embeds; let it point there, on the \
             node: {FINALIZE}"
        ),
        Skipped::CredentialFiles(path) => {
            format!("its credentials are in files of their own ({path}); renew them there")
        }
        Skipped::NotWellElsewhere(path, why) => {
            let why = unwell(why);
            format!(
                "its credential is in {path}, which {why}; renew it there, or move {name} away and make it again with: {}",
                origin.command_by_profile("renew", &[name], &[])
            )
        }
        Skipped::KubeletsNotWell(why) => format!(
            "the kubelet's own {ROTATED_CLIENT}, which it rotates, {}; move that file away on the node and restart the kubelet: it \
             then uses what {name} embeds, and has a new one signed",
            unwell(why)
        ),
        Skipped::Unreadable(why) => format!("it cannot be read: {why}; restore it, or move it away"),
        Skipped::Unknown => "it is missing and in no profile; give one with --profile FILE".to_owned(),
        Skipped::NotReplenished => format!("it does not exist and is made only by name: {}", renew()),
        Skipped::OtherKey(kind) => {
            format!("kpki does not make keys of kind {kind}; set encryptionAlgorithm in the profile")
        }
        Skipped::IsAuthority => "it is the certificate of an authority".to_owned(),
        Skipped::AuthorityEnds(authority, at) => format!(
            "its authority {} expires at {}, and so would a new certificate; renew the authority first: {}",
            authority.name(),
            rfc3339(*at),
            origin.renewal(*authority)
        ),
        Skipped::Refused(refusal) => {
            let (why, hint) = words(refusal, origin);
            format!("{why}; {hint}")
        }
    }
}

fn unwell(why: &Unwell) -> String {
    match why {
        Unwell::Missing => "is missing".to_owned(),
        Unwell::Unreadable => "cannot be read".to_owned(),
        Unwell::Expired(at) => format!("expired at {}", rfc3339(*at)),
        Unwell::NotYetValid(at) => format!("is not valid before {}", rfc3339(*at)),
        Unwell::WrongIssuer(name) => format!("is signed by {name}, and not by the authority in the tree"),
        Unwell::Key => "does not hold its own key".to_owned(),
        Unwell::Due(left) => format!("is due, {} left", length(*left)),
    }
}

/// Why a file is written again without a signature.
pub fn rewritten(what: &Rewritten) -> String {
    let text = match what {
        Rewritten::Kubeconfig { authority, server: Some(server) } => {
            let and = if *authority { " and ca.crt" } else { "" };
            return format!("its server is now {server}{and}; nothing else in it is changed");
        }
        Rewritten::Kubeconfig { server: None, .. } => {
            "its certificate-authority-data was not ca.crt; nothing else in it is changed"
        }
        Rewritten::SignerFile { is_new: true } => "missing; ca.crt's first certificate alone",
        Rewritten::SignerFile { is_new: false } => "it was not ca.crt's first certificate alone",
    };
    text.to_owned()
}

/// How a hook ended. `timeout`: seconds.
pub fn ended(ended: &Ended, timeout: u64) -> String {
    match ended {
        Ended::Success => "done".to_owned(),
        Ended::Status(status) => format!("exit status {status}"),
        Ended::Signal(signal) => format!("ended by signal {signal}"),
        Ended::TimedOut => format!("still running after {}", Span::seconds(timeout)),
        Ended::Stopped(stopped) => stopped.to_string(),
        Ended::NotStarted(why) => format!("could not be started: {why}"),
    }
}

/// Everything that makes signing impossible, as one error.
pub fn refused(origin: &Origin, refusals: &[Refusal]) -> Error {
    Error::new(format!("cannot sign in {}: nothing was written", origin.dir))
        .causes(refusals.iter().map(|refusal| words(refusal, origin)))
}

fn words(refusal: &Refusal, origin: &Origin) -> (String, String) {
    match refusal {
        Refusal::AuthorityExpired { authority, not_after } => (
            format!(
                "the authority {} expired at {}; its certificates would not be accepted",
                authority.name(),
                rfc3339(*not_after)
            ),
            format!(
                "if its key is not suspected, renew it with the same key, and then what it signed: {}",
                origin.renewal(*authority)
            ),
        ),
        Refusal::AuthorityNotYetValid { authority, not_before } => (
            format!("the authority {} is not valid before {}", authority.name(), rfc3339(*not_before)),
            "check the clock of this machine".to_owned(),
        ),
        Refusal::AuthorityUnusable { authority, why: Unusable::Bundle(BundleError::PrivateKey) } => (
            format!("a private key is in {}.crt, which others may read and kubeconfigs embed", authority.stem()),
            take_out(&origin.pki().join(format!("{}.crt", authority.stem())), authority.name(), origin),
        ),
        Refusal::AuthorityUnusable { authority, why } => {
            (format!("the authority {} cannot sign: {why}", authority.name()), mended(*authority, why, origin))
        }
        Refusal::OtherAuthority { node, authority } => (
            format!("{node} trusts another {} than pki/{}.crt", authority.name(), authority.stem()),
            format!(
                "compare the two; the shared one is put in place, and what does not fit it is made again, with: {}",
                origin.command_by_profile("init", &[""; 0], &["--force"])
            ),
        ),
        Refusal::WindowTooWide { item, window, lifetime } => (
            format!(
                "renewal.before is {window}, and {item} is valid for {}: it would be renewed on every run",
                length(*lifetime)
            ),
            "make renewal.before shorter than the lifetime, or give it as a share (33%)".to_owned(),
        ),
    }
}

/// The kubeconfig that is there cannot take a new credential.
pub fn not_replaced(place: &Place, why: KubeconfigError) -> Error {
    Error::new(format!("cannot replace the credential in {}", place.path))
        .because(why)
        .hint("check the file; kubectl config view --raw prints it in a plain form")
}

/// A profile for another node would add that node's names.
pub fn another_node(directory: &Path, wanted: &str, path: &str, found: &str) -> Error {
    Error::usage(format!("{} is not the tree of {wanted:?}", directory.display()))
        .because(format!("{path} names the node {}", named(found)))
        .hint("give the profile that has this node, and its name with --node")
        .hint(format!("if the node was renamed, move {path} away first"))
}

/// An entry that `renew` does not handle, and the alternative.
pub fn not_renewable(name: &str, origin: &Origin) -> Error {
    match CaId::parse(name) {
        Some(authority) => Error::usage(format!("{name} is an authority, and no entry of a node"))
            .because("it is the whole tree's: its certificate is renewed with its key in every place at once")
            .hint(format!("name it alone: {}", origin.renewal(authority))),
        None => Error::usage(format!("{name} is a key pair without a certificate: it never expires"))
            .because("a new one would make every service account token invalid")
            .hint(format!(
                "replace it by a rotation, in which both are accepted for a time; it begins with kpki rotate prepare {name}"
            )),
    }
}
