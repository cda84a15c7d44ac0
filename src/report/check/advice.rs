//! What to do, in words: each kind of finding once, with the exact next command.

use serde::Serialize;

use super::result::Line;
use crate::audit::{Advice, Origin, Problem};
use crate::catalog::CaId;
use crate::catalog::paths::{FINALIZE, KUBELET_CONF};
use crate::files::shell_word;
use crate::report::restart::one_at_a_time;
use crate::report::table::sanitised;

pub fn lines(advice: &[Advice]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (i, one) in advice.iter().enumerate() {
        lines.push(Line::plain(""));
        if i == 0 {
            lines.push(Line::strong("What to do:"));
        }
        lines.push(Line::plain(format!("- {}", sanitised(&what(one)))));
        lines.extend(steps(one).iter().map(|step| Line::plain(format!("    {}", sanitised(step)))));
    }
    // The headline stands directly above the first piece.
    lines
}

/// A finding as documents have it.
#[derive(Serialize)]
pub struct Finding {
    problem: &'static str,
    count: usize,
    what: String,
    steps: Vec<String>,
}

pub fn finding(advice: &Advice) -> Finding {
    let (problem, ..) = words(advice.problem);
    Finding { problem, count: advice.count, what: what(advice), steps: steps(advice) }
}

/// `11 certificates have expired (admin.conf, apiserver, ...)`.
fn what(advice: &Advice) -> String {
    let (_, [noun, nouns], [is, are]) = words(advice.problem);
    let (noun, is) = if advice.count == 1 { (noun, is) } else { (nouns, are) };
    let more = if advice.count > advice.names.len() { ", ..." } else { "" };
    let trees = if advice.trees > 1 { format!(" in {} places", advice.trees) } else { String::new() };
    format!("{} {noun}{trees} {is} ({}{more})", advice.count, advice.names.join(", "))
}

/// One, and several.
type Words = [&'static str; 2];

const AUTHORITY: Words = ["authority", "authorities"];
const CERTIFICATE: Words = ["certificate", "certificates"];
const CRL: Words = ["CRL", "CRLs"];
const FILE: Words = ["file", "files"];

const EXPIRED: Words = ["has expired", "have expired"];
const ENDING: Words = ["expires soon or has expired", "expire soon or have expired"];
const MISSING: Words = ["is missing", "are missing"];

/// The problem's name in documents, what has it, and what is wrong.
const fn words(problem: Problem) -> (&'static str, Words, Words) {
    match problem {
        Problem::AuthorityExpired => (
            "authority-expired",
            AUTHORITY,
            [
                "has expired: nothing it signed is accepted any more",
                "have expired: nothing they signed is accepted any more",
            ],
        ),
        Problem::AuthorityEnding => ("authority-ending", AUTHORITY, ENDING),
        Problem::ExternalAuthorityEnding => ("external-authority-ending", AUTHORITY, ENDING),
        Problem::External => {
            ("externally-managed", CERTIFICATE, ["needs an external authority", "need an external authority"])
        }
        Problem::Revoked => ("revoked", CERTIFICATE, ["is revoked", "are revoked"]),
        Problem::Held => (
            "held",
            CERTIFICATE,
            [
                "is held: readers of its authority's CRL refuse it until it is released",
                "are held: readers of their authority's CRL refuse them until they are released",
            ],
        ),
        Problem::Expired => ("expired", CERTIFICATE, EXPIRED),
        Problem::KubeletClientExpired => ("kubelet-client-expired", CERTIFICATE, EXPIRED),
        Problem::KubeletClientUnusable => (
            "kubelet-client-unusable",
            CERTIFICATE,
            ["is in use by a kubelet, and cannot be used", "are in use by kubelets, and cannot be used"],
        ),
        Problem::NotYetValid => ("not-yet-valid", CERTIFICATE, ["is not valid yet", "are not valid yet"]),
        Problem::CutAuthorityData => (
            "cut-authority-data",
            ["kubeconfig", "kubeconfigs"],
            ["does not trust all authorities of ca.crt", "do not trust all authorities of ca.crt"],
        ),
        Problem::SignerFile => (
            "signer-file",
            FILE,
            ["is not the first certificate of ca.crt alone", "are not the first certificate of ca.crt alone"],
        ),
        Problem::WrongIssuer => (
            "wrong-issuer",
            CERTIFICATE,
            ["is not signed by the authority in the tree", "are not signed by the authority in the tree"],
        ),
        Problem::KeyMismatch => {
            ("key-mismatch", CERTIFICATE, ["has the key of another beside it", "have the keys of others beside them"])
        }
        Problem::AuthorityKeyMismatch => (
            "authority-key-mismatch",
            AUTHORITY,
            ["has the key of another beside it", "have the keys of others beside them"],
        ),
        Problem::ServiceAccountMismatch => (
            "service-account-mismatch",
            FILE,
            ["is not the public half of sa.key", "are not the public halves of sa.key"],
        ),
        Problem::CopyDiffers => (
            "copy-differs",
            FILE,
            ["is not what the cluster directory has in pki/", "are not what the cluster directory has in pki/"],
        ),
        Problem::KeyUnusable => {
            ("key-unusable", CERTIFICATE, ["has no key that can be used", "have no keys that can be used"])
        }
        Problem::AuthorityKeyUnusable => {
            ("authority-key-unusable", AUTHORITY, ["has a key that cannot be used", "have keys that cannot be used"])
        }
        Problem::AuthorityMissing => ("authority-missing", AUTHORITY, MISSING),
        Problem::Missing => ("missing", CERTIFICATE, MISSING),
        Problem::Locked => ("locked", FILE, ["is not opened", "are not opened"]),
        Problem::Unreadable => ("unreadable", FILE, ["cannot be read", "cannot be read"]),
        Problem::OtherCrl => ("other-crl", CRL, ["is not the CRL beside it", "are not the CRLs beside them"]),
        Problem::CrlEnding => ("crl-ending", CRL, ENDING),
        Problem::Ending => ("ending", CERTIFICATE, ["expires soon", "expire soon"]),
        Problem::Foreign => (
            "issued-elsewhere",
            CERTIFICATE,
            [
                "expires soon or has expired, and is not in a tree of kpki",
                "expire soon or have expired, and are not in a tree of kpki",
            ],
        ),
        Problem::OutlivesAuthority => {
            ("outlives-authority", CERTIFICATE, ["would outlive its authority", "would outlive their authority"])
        }
        Problem::CutsRenewalsShort => (
            "cuts-renewals-short",
            AUTHORITY,
            ["ends too soon for the next renewal", "end too soon for the next renewal"],
        ),
        Problem::KubeletEmbedsAnother => (
            "kubelet-embeds-another",
            CERTIFICATE,
            [
                "is what the kubelet uses and rotates, and kubelet.conf embeds another one",
                "are what kubelets use and rotate, and kubelet.conf embeds another one",
            ],
        ),
        Problem::LeafNotFirst => (
            "leaf-not-first",
            FILE,
            ["begins with a certificate of its chain", "begin with a certificate of their chain"],
        ),
        Problem::Repeated => {
            ("repeated", CERTIFICATE, ["stands more than once in its file", "stand more than once in their files"])
        }
        Problem::Serial => (
            "serial-number",
            CERTIFICATE,
            ["has a serial number of 0 or a negative one", "have serial numbers of 0 or negative ones"],
        ),
        Problem::SharedAuthority => (
            "shared-authority",
            AUTHORITY,
            [
                "is another authority of the tree as well: all certificates of both are trusted in its place",
                "are another authority of the tree as well: all certificates of both are trusted in their place",
            ],
        ),
    }
}

fn steps(advice: &Advice) -> Vec<String> {
    let dir = dir(&advice.origin);
    let mut steps = Vec::new();
    match advice.problem {
        Problem::AuthorityExpired => steps.extend([
            format!("a new authority is needed: move its certificate and key ({}) and all certificates it signed away", advice.path),
            format!("make them again: {}", init(&advice.origin)),
            "bring the new CA certificate to every node and every client".to_owned(),
        ]),
        Problem::AuthorityEnding => steps.extend([
            format!("plan its rotation: a new authority in place of {}, trusted everywhere beside the old one first", advice.path),
            "its certificates must be renewed by the new authority before the old one expires".to_owned(),
        ]),
        Problem::ExternalAuthorityEnding => {
            steps.push(format!("ask its owner for a new one; its certificate belongs to {}", advice.path));
        }
        Problem::External => steps.extend([
            format!("make a key and a request for each, beside the files in use: kpki renew all --due --dir {}", shell_word(dir)),
            format!("have the authority's owner sign the requests in {dir}/.kpki/requests; then: kpki import CERT... --dir {}", shell_word(dir)),
        ]),
        Problem::Expired => {
            if advice.order.len() > 1 {
                steps.push("the order of repair:".to_owned());
                let ordered = advice.order.iter().zip(1..);
                steps.extend(ordered.map(|((group, names), i)| format!("  {i}. {group}: {}", names.join(", "))));
            }
            steps.push(format!("renew them: {}", renew(advice)));
        }
        Problem::Revoked => {
            steps.push(format!("make new ones with new keys: kpki renew {} --dir {}", advice.names.join(" "), shell_word(dir)));
        }
        Problem::Held => steps.push(format!(
            "release: kpki release {names} --dir {dir}, or revoke: kpki revoke {names} --dir {dir}",
            names = advice.names.join(" "),
            dir = shell_word(dir)
        )),
        Problem::KubeletClientExpired | Problem::KubeletClientUnusable => steps.extend([
            format!("the kubelet renews {} itself, and only while it can use it", advice.path),
            format!(
                "move it and {} away, and make kubelet.conf again: {}",
                kubelet_conf(advice),
                init(&advice.origin)
            ),
        ]),
        Problem::NotYetValid => steps.push("check the clock of this machine and of the one they were made on".to_owned()),
        Problem::CutAuthorityData => steps.extend([
            "kubeadm certs renew leaves the first certificate of a chain only, and a copy may be another cluster's: what it trusts \
             is not what signs the servers"
                .to_owned(),
            format!("embed the whole ca.crt again: {}", renew(advice)),
        ]),
        Problem::SignerFile => steps.extend([
            "kube-controller-manager signs with it (--cluster-signing-cert-file), and needs exactly one certificate".to_owned(),
            format!("write it again: {} --force", init(&advice.origin)),
        ]),
        Problem::WrongIssuer => steps.extend([
            format!("compare issuer and authority: kpki inspect {}", shell_word(&advice.path)),
            "if the authority in the tree is not the cluster's, put the cluster's back in place".to_owned(),
            format!("if it is, have it sign them again: {}", renew(advice)),
        ]),
        Problem::KeyMismatch => steps.extend([
            "if another file was put in the key's place, put the key back".to_owned(),
            format!("if not, make new keys and certificates: {}", renew(advice)),
        ]),
        Problem::AuthorityKeyMismatch => steps.push(format!(
            "put the key of {} back in place, or the certificate of the key: nothing can be signed without the pair",
            advice.path
        )),
        Problem::ServiceAccountMismatch => steps.extend([
            "tokens are signed with sa.key and verified with sa.pub: see which of the two is the cluster's, and put its half back".to_owned(),
            format!("what else does not fit, and sa.pub from sa.key: {} --force", init(&advice.origin)),
        ]),
        Problem::CopyDiffers => steps.extend([
            format!("see which of the two is the cluster's: kpki inspect {}", shell_word(&advice.path)),
            "put that one, with its key, in the place of the other: nodes with different ones do not work together".to_owned(),
        ]),
        Problem::KeyUnusable => steps.extend([
            format!("if there is a copy of the key, put it back in place: {}", advice.path),
            format!("if not, make new keys and certificates: {}", renew(advice)),
        ]),
        Problem::AuthorityKeyUnusable => steps.extend([
            format!("put the key back in place, unencrypted and in PEM: {}", advice.path),
            "nothing can be signed without it; where it is kept elsewhere on purpose, leave nothing in its place".to_owned(),
        ]),
        Problem::AuthorityMissing => steps.push(format!(
            "restore {}, or check that this is the intended directory: without it nothing can be verified",
            advice.path
        )),
        Problem::Missing if advice.origin == Origin::Found => {
            steps.push(format!("put {} in its place, or have the kubeconfig name the right file", advice.path));
        }
        Problem::Missing => steps.push(format!("make what is missing: {}", init(&advice.origin))),
        Problem::Unreadable => steps.extend([
            format!("check the file: kpki inspect {}", shell_word(&advice.path)),
            match advice.origin {
                Origin::Found => "restore it, or move it away".to_owned(),
                _ => format!("restore it, or move it away; what kpki makes is made again with: {}", init(&advice.origin)),
            },
        ]),
        Problem::Locked => steps.extend([
            "give its password: --password-file FILE or --password-env VARIABLE".to_owned(),
            format!("see what is in it: kpki inspect {} --password-file FILE", shell_word(&advice.path)),
        ]),
        Problem::CrlEnding => steps.extend([
            format!("sign the next CRL on the host with the authority's key: kpki crl update --due --dir {}", shell_word(dir)),
            format!("or have its authority publish a new one in {}", advice.path),
        ]),
        Problem::OtherCrl => steps.extend([
            "etcd reads nothing but DER from 3.6 on: what is revoked since is accepted".to_owned(),
            format!("sign the next one, and write both: kpki crl update etcd-ca --dir {}", shell_word(dir)),
        ]),
        Problem::Ending => steps.push(format!("renew them: {}", renew(advice))),
        Problem::Foreign => steps.push(format!("have its issuer renew {}", advice.path)),
        Problem::OutlivesAuthority => {
            steps.push("nothing to do now: the authority's expiry is the one that counts".to_owned());
        }
        Problem::CutsRenewalsShort => {
            steps.push("nothing to do now: plan its rotation before the next renewal".to_owned());
        }
        Problem::KubeletEmbedsAnother => steps.extend([
            "the embedded one is not used, so renewing it changes nothing; but once it has expired, the kubelet does not start any more (kubernetes#99645)".to_owned(),
            format!("let {} point to {}, on the node: {FINALIZE}", kubelet_conf(advice), advice.path),
        ]),
        Problem::LeafNotFirst => steps.push(format!("put its certificates in order: {}", import(advice))),
        Problem::Repeated if advice.origin == Origin::Found => {
            steps.push(format!("nothing to do now: it is used once, and may be left out of {}", advice.path));
        }
        Problem::Repeated => steps.push(format!("nothing to do now; to have it there once: {}", import(advice))),
        Problem::Serial => steps.push(format!("Kubernetes refuses to read a negative one; renew them: {}", renew(advice))),
        Problem::SharedAuthority => steps.extend([
            "every client certificate of the cluster's CA, also a kubelet's, may read and write all of etcd, or act as any user"
                .to_owned(),
            "plan a rotation to an authority of its own: trusted everywhere beside the shared one first".to_owned(),
        ]),
    }
    if !advice.restart.is_empty() {
        let components: Vec<String> = advice.restart.iter().map(|component| one_at_a_time(component)).collect();
        let order = if components.len() > 1 { " and in this order" } else { "" };
        let components = components.join(", ");
        steps.push(format!("then restart, one node after another{order}: {components} ({})", advice.kubernetes));
    }
    steps
}

fn dir(origin: &Origin) -> &str {
    match origin {
        Origin::Profile { dir, .. } | Origin::Recorded { dir } | Origin::Unknown { dir } => dir,
        Origin::Found => ".",
    }
}

/// Of the first one's node.
fn kubelet_conf(advice: &Advice) -> String {
    format!("{}/{KUBELET_CONF}", advice.root.trim_end_matches('/'))
}

fn init(origin: &Origin) -> String {
    let dir = shell_word(dir(origin));
    match origin {
        Origin::Profile { file, .. } => format!("kpki init --profile {} --dir {dir}", shell_word(file)),
        Origin::Recorded { .. } => format!("kpki init --dir {dir}"),
        Origin::Unknown { .. } | Origin::Found => {
            format!("kpki init --profile FILE --dir {dir}    (FILE: its profile or kubeadm configuration)")
        }
    }
}

/// The first one's file, in order and without repetition.
fn import(advice: &Advice) -> String {
    let dir = shell_word(dir(&advice.origin));
    let name = advice.names.first().filter(|name| CaId::parse(name).is_some());
    let entry = name.map(|name| format!(" --as {name}")).unwrap_or_default();
    format!("kpki import {}{entry} --dir {dir}", shell_word(&advice.path))
}

/// These by name, or all when they are many.
fn renew(advice: &Advice) -> String {
    let names = if advice.count > advice.names.len() { "all".to_owned() } else { advice.names.join(" ") };
    let profile = match &advice.origin {
        Origin::Profile { file, .. } => format!("--profile {} ", shell_word(file)),
        Origin::Recorded { .. } | Origin::Unknown { .. } | Origin::Found => String::new(),
    };
    format!("kpki renew {names} {profile}--dir {}", shell_word(dir(&advice.origin)))
}
