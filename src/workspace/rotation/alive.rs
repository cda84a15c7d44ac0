//! What of an authority that is given up is still alive: certificates in the tree that it signed, and those that the journal says
//! were handed out: to users, for requests, by nodes. On the way forth that is the old one after the switch, on the way back the new
//! one after it has signed.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::blueprint::BACK_DATE;
use crate::catalog;
use crate::encoding::shown::quoted;
use crate::plan::renew::certificate_of;
use crate::plan::rotate::gate::Alive;
use crate::tree::EntryId;
use crate::tree::rotation::{Identity, Rotation, Way};
use crate::workspace::journal::{CertificateLine, Line};
use crate::workspace::remembered::remembered;
use crate::workspace::shipping::receipt::instant;
use crate::workspace::{Session, Snapshot};
use crate::x509::{Certificate, parse_authority};

/// The certificate of an identity; a service account key has none.
pub fn certificate(identity: &Identity) -> Option<Certificate> {
    parse_authority(identity.pem.as_bytes()).ok()?.into_iter().next()
}

/// Every one that has not ended at `now`. A service account key signs no certificates.
pub fn alive(session: &Session<'_>, snapshot: &Snapshot, lines: &[Line], rotation: &Rotation, way: Way) -> Vec<Alive> {
    let signers = (rotation.old.first().and_then(certificate), rotation.new.first().and_then(certificate));
    let (Some(old), Some(new)) = signers else { return Vec::new() };
    let until = instant(&rotation.since);
    let (pair, span) = match way {
        Way::Forth => ((&old, &new), (None, until)),
        Way::Back => ((&new, &old), (rotation.signed_since.as_deref().and_then(instant), until)),
    };
    let mut all = in_tree(session, snapshot, pair.0);
    for one in of_journal(session, lines, pair, span) {
        if !all.iter().any(|known| known.name == one.name && known.ends == one.ends) {
            all.push(one);
        }
    }
    all.retain(|one| one.ends > session.run.now);
    all
}

/// Those that are outside the tree: kubeconfigs of users, and what was signed for others. They stay of the old authority until their
/// owners have new ones.
pub fn handed_out(session: &Session<'_>, lines: &[Line], rotation: &Rotation) -> Vec<Alive> {
    let signers = (rotation.old.first().and_then(certificate), rotation.new.first().and_then(certificate));
    let (Some(old), Some(new)) = signers else { return Vec::new() };
    let mut all = of_journal(session, lines, (&old, &new), (None, Some(session.run.now)));
    all.retain(|one| one.ends > session.run.now);
    all
}

fn in_tree(session: &Session<'_>, snapshot: &Snapshot, old: &Certificate) -> Vec<Alive> {
    let is_of = |leaf: &Certificate| leaf.names_issuer(old) && leaf.signed_by(old).is_ok();
    let of = |one: &crate::plan::renew::Credential| {
        let leaf = certificate_of(one, &snapshot.survey).filter(is_of)?;
        Some(Alive { name: one.id.to_string(), ends: leaf.not_after })
    };
    session.credentials.iter().filter_map(of).collect()
}

/// What was handed out. A later one by the new authority under the same name takes its place; what is revoked is not alive.
fn of_journal(
    session: &Session<'_>,
    lines: &[Line],
    (old, new): (&Certificate, &Certificate),
    (from, until): (Option<OffsetDateTime>, Option<OffsetDateTime>),
) -> Vec<Alive> {
    let (of_old, of_new) = (old.subject.to_string(), new.subject.to_string());
    // With one name for both, what was made while it signed is its own: before the switch the old one, then the new one.
    let in_its_time = |line: &CertificateLine| {
        let made = made(line);
        made.zip(from).is_none_or(|(made, from)| made >= from)
            && made.zip(until).is_none_or(|(made, until)| made < until)
    };
    let is_old = |line: &CertificateLine| line.issuer == of_old && (of_old != of_new || in_its_time(line));
    let revoked = remembered(lines, old, None).last;
    let is_revoked = |line: &CertificateLine| {
        let serial = crate::plan::revoke::serial_of_hex(&line.serial);
        serial.is_some_and(|serial| revoked.get(&serial).is_some_and(Option::is_some))
    };
    let own: BTreeSet<String> = session.credentials.iter().map(|one| one.id.to_string()).collect();
    let is_handed_out = |line: &CertificateLine| {
        let is_of_tree = own.contains(&line.entry) || catalog::find(EntryId::bare_name(&line.entry)).is_some();
        matches!(line.command.as_str(), "sign" | "kubeconfig") || !is_of_tree
    };
    let all = || {
        lines.iter().filter_map(|line| if let Line::Certificate(line) = line { Some(line) } else { None }).enumerate()
    };
    let is_replaced = |at: usize, line: &CertificateLine| {
        all().any(|(later, one)| later > at && one.entry == line.entry && !is_old(one))
    };
    all()
        .filter(|(_, line)| is_old(line) && is_handed_out(line) && !is_revoked(line))
        .filter(|(at, line)| !is_replaced(*at, line))
        .filter_map(|(_, line)| Some(Alive { name: shown(line), ends: instant(&line.not_after)? }))
        .collect()
}

/// When it was made, whoever wrote the line down.
fn made(line: &CertificateLine) -> Option<OffsetDateTime> {
    let begins = instant(&line.not_before)?.saturating_add(BACK_DATE);
    instant(&line.time).map(|written| written.min(begins))
}

fn shown(line: &CertificateLine) -> String {
    match line.command.as_str() {
        "kubeconfig" => format!("kubeconfig of {}", quoted(&line.entry)),
        "sign" => format!("signed for {}", quoted(&line.entry)),
        _ => line.entry.clone(),
    }
}
