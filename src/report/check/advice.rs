//! What to do, in words: each kind of finding once, with the exact next command.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Line;
use crate::audit::{Advice, Judged, Note, Origin, Problem};
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

pub fn value(advice: &Advice) -> Value {
    json!({
        "problem": problem(advice.problem),
        "count": advice.count,
        "what": what(advice),
        "steps": steps(advice),
    })
}

pub fn outlived(judged: &Judged) -> Option<OffsetDateTime> {
    judged.notes.iter().find_map(|note| match note {
        Note::OutlivesAuthority { until } => Some(*until),
        Note::CutsRenewalsShort { .. } => None,
    })
}

pub fn cut_short(judged: &Judged) -> Option<OffsetDateTime> {
    judged.notes.iter().find_map(|note| match note {
        Note::CutsRenewalsShort { wanted } => Some(*wanted),
        Note::OutlivesAuthority { .. } => None,
    })
}

pub const fn problem(problem: Problem) -> &'static str {
    match problem {
        Problem::AuthorityExpired => "authority-expired",
        Problem::AuthorityEnding => "authority-ending",
        Problem::ExternalAuthorityEnding => "external-authority-ending",
        Problem::External => "externally-managed",
        Problem::Revoked => "revoked",
        Problem::Held => "held",
        Problem::Expired => "expired",
        Problem::KubeletClientExpired => "kubelet-client-expired",
        Problem::NotYetValid => "not-yet-valid",
        Problem::AuthorityMissing => "authority-missing",
        Problem::Missing => "missing",
        Problem::Unreadable => "unreadable",
        Problem::CrlEnding => "crl-ending",
        Problem::Ending => "ending",
        Problem::Foreign => "issued-elsewhere",
        Problem::OutlivesAuthority => "outlives-authority",
        Problem::CutsRenewalsShort => "cuts-renewals-short",
    }
}

/// `11 certificates have expired (admin.conf, apiserver, ...)`.
fn what(advice: &Advice) -> String {
    let one = advice.count == 1;
    let noun = match advice.problem {
        Problem::AuthorityExpired
        | Problem::AuthorityEnding
        | Problem::ExternalAuthorityEnding
        | Problem::AuthorityMissing
        | Problem::CutsRenewalsShort => {
            if one {
                "authority"
            } else {
                "authorities"
            }
        }
        Problem::CrlEnding => {
            if one {
                "revocation list"
            } else {
                "revocation lists"
            }
        }
        Problem::Unreadable => {
            if one {
                "file"
            } else {
                "files"
            }
        }
        _ => {
            if one {
                "certificate"
            } else {
                "certificates"
            }
        }
    };
    let verb = match advice.problem {
        Problem::AuthorityExpired => {
            if one {
                "has expired: nothing it signed is accepted any more"
            } else {
                "have expired: nothing they signed is accepted any more"
            }
        }
        Problem::AuthorityEnding | Problem::ExternalAuthorityEnding | Problem::CrlEnding => {
            if one {
                "is near its end or past it"
            } else {
                "are near their end or past it"
            }
        }
        Problem::External => {
            if one {
                "needs an authority whose key is not here"
            } else {
                "need an authority whose key is not here"
            }
        }
        Problem::Expired | Problem::KubeletClientExpired => {
            if one {
                "has expired"
            } else {
                "have expired"
            }
        }
        Problem::Revoked => {
            if one {
                "is revoked"
            } else {
                "are revoked"
            }
        }
        Problem::Held => {
            if one {
                "is held: its authority's list refuses it until it is released"
            } else {
                "are held: their authority's list refuses them until they are released"
            }
        }
        Problem::NotYetValid => {
            if one {
                "is not valid yet"
            } else {
                "are not valid yet"
            }
        }
        Problem::AuthorityMissing | Problem::Missing => {
            if one {
                "is missing"
            } else {
                "are missing"
            }
        }
        Problem::Unreadable => "cannot be read",
        Problem::Ending => {
            if one {
                "is near its end"
            } else {
                "are near their end"
            }
        }
        Problem::Foreign => {
            if one {
                "is near its end or past it, and not of a tree kpki made"
            } else {
                "are near their end or past it, and not of a tree kpki made"
            }
        }
        Problem::OutlivesAuthority => {
            if one {
                "would outlive its authority"
            } else {
                "would outlive their authority"
            }
        }
        Problem::CutsRenewalsShort => {
            if one {
                "ends too soon for the next renewal"
            } else {
                "end too soon for the next renewal"
            }
        }
    };
    let more = if advice.count > advice.names.len() { ", ..." } else { "" };
    let trees = if advice.trees > 1 { format!(" in {} places", advice.trees) } else { String::new() };
    format!("{} {noun}{trees} {verb} ({}{more})", advice.count, advice.names.join(", "))
}

fn steps(advice: &Advice) -> Vec<String> {
    let dir = dir(&advice.origin);
    let mut steps = Vec::new();
    match advice.problem {
        Problem::AuthorityExpired => steps.extend([
            format!("a new authority is needed: move its certificate and key ({}) away, and everything it signed", advice.path),
            format!("make them anew: {}", init(&advice.origin)),
            "bring the new CA certificate to every node and every client, then restart all components".to_owned(),
        ]),
        Problem::AuthorityEnding => steps.extend([
            format!("plan its rotation: a new authority in place of {}, trusted everywhere beside the old one first", advice.path),
            "what it signs must be renewed by the new authority before the old one ends".to_owned(),
        ]),
        Problem::ExternalAuthorityEnding => {
            steps.push(format!("ask its owner for a new one; its certificate belongs to {}", advice.path));
        }
        Problem::External => steps.extend([
            format!("make a key and a request for each, beside the running tree: kpki renew all --due --dir {dir}"),
            format!("have the authority's owner sign the requests in {dir}/.kpki/requests; then: kpki import CERT... --dir {dir}"),
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
            steps.push(format!("make new ones with new keys: kpki renew {} --dir {}", advice.names.join(" "), shell(dir)));
        }
        Problem::Held => steps.push(format!(
            "decide: kpki release {names} --dir {dir}, or for good: kpki revoke {names} --dir {dir}",
            names = advice.names.join(" "),
            dir = shell(dir)
        )),
        Problem::KubeletClientExpired => steps.extend([
            format!("the kubelet renews {} itself, but not once it has expired", advice.path),
            format!("move {dir}/kubelet.conf away and make it anew: {}", init(&advice.origin)),
            "then: systemctl restart kubelet".to_owned(),
        ]),
        Problem::NotYetValid => steps.push("check the clock of this machine and of the one they were made on".to_owned()),
        Problem::AuthorityMissing => steps.push(format!(
            "restore {}, or check that this is the directory you mean: without it nothing can be verified",
            advice.path
        )),
        Problem::Missing => steps.push(format!("make what is missing: {}", init(&advice.origin))),
        Problem::Unreadable => steps.extend([
            format!("look at what is there: kpki inspect {}", shell(&advice.path)),
            "restore it, or move it away and have it made anew".to_owned(),
        ]),
        Problem::CrlEnding => steps.extend([
            format!("sign the next edition where the authority's key is: kpki crl update --due --dir {}", shell(dir)),
            format!("or have its authority publish a new one in {}", advice.path),
        ]),
        Problem::Ending => steps.push(format!("renew them: {}", renew(advice))),
        Problem::Foreign => steps.push(format!("have whoever issued it renew {}", advice.path)),
        Problem::OutlivesAuthority => {
            steps.push("nothing to do now: count on the authority's end, not on theirs".to_owned());
        }
        Problem::CutsRenewalsShort => {
            steps.push("nothing to do now: plan its rotation before the next renewal".to_owned());
        }
    }
    if !advice.restart.is_empty() {
        steps.push(format!("then restart, in this order: {}", advice.restart.join(", ")));
    }
    steps
}

fn dir(origin: &Origin) -> &str {
    match origin {
        Origin::Profile { dir, .. } | Origin::Recorded { dir } | Origin::Unknown { dir } => dir,
        Origin::Found => ".",
    }
}

fn init(origin: &Origin) -> String {
    let dir = shell(dir(origin));
    match origin {
        Origin::Profile { file, .. } => format!("kpki init --profile {} --dir {dir}", shell(file)),
        Origin::Recorded { .. } => format!("kpki init --dir {dir}"),
        Origin::Unknown { .. } | Origin::Found => {
            format!("kpki init --profile FILE --dir {dir}    (FILE: its profile or kubeadm configuration)")
        }
    }
}

/// These by name, or all when they are many.
fn renew(advice: &Advice) -> String {
    let names = if advice.count > advice.names.len() { "all".to_owned() } else { advice.names.join(" ") };
    let dir = shell(dir(&advice.origin));
    match &advice.origin {
        Origin::Profile { file, .. } => format!("kpki renew {names} --profile {} --dir {dir}", shell(file)),
        Origin::Recorded { .. } | Origin::Unknown { .. } | Origin::Found => format!("kpki renew {names} --dir {dir}"),
    }
}

/// A word a shell reads as one.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
