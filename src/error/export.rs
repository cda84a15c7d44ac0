//! Messages: why a node's files cannot be exported, and the findings of `export --verify`.

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::encoding::shown::named;
use crate::files::shell_path;
use crate::plan::changed::missing as lacking;
use crate::plan::decision::{Decision, Difference, Making, Notice, Reconciled};
use crate::plan::item::Item;
use crate::plan::node::{Finding, Newer, NewerIn};
use crate::tree::Origin;
use crate::tree::layout::Place;

use super::plan::{Context, difference, refused, renew_due};

/// Every difference between a node's items and the profile, one line each, with hints.
pub fn unfit(context: &Context<'_>, items: &[Item], reconciled: &Reconciled) -> (Vec<String>, Vec<String>) {
    let (mut whys, mut hints): (Vec<_>, Vec<_>) = reconciled.refusals.iter().map(|one| refused(context, one)).unzip();
    let (mut missing, mut differs, mut lacks_names, mut ended) = (false, false, false, false);
    for (item, decision) in items.iter().zip(&reconciled.decisions) {
        let said = |place: &Place, what: &str| format!("{} ({}): {what}", item.id, context.shown(place));
        match decision {
            Decision::Keep | Decision::Replace(..) => {}
            Decision::Make(Making::Copy { public, private, .. }) => {
                let private = item.private.as_ref().filter(|_| *private);
                let lacking = private.into_iter().chain(Some(&item.public).filter(|_| *public));
                whys.extend(lacking.map(|place| said(place, "missing")));
                missing = true;
            }
            Decision::Make(_) | Decision::NoKey(..) => {
                whys.push(said(&item.public, "missing"));
                missing = true;
            }
            Decision::Conflict(differences, _) => {
                let list: Vec<String> = differences.iter().map(difference).collect();
                whys.push(said(&item.public, &list.join("; ")));
                match lacking(differences) {
                    Some(_) => lacks_names = true,
                    None if differences.iter().all(|one| matches!(one, Difference::Expired(_))) => ended = true,
                    None => differs = true,
                }
            }
        }
    }
    let make = |options: &[&str]| context.origin.command("init", &[""; 0], options);
    if ended {
        hints.push(format!("make again what has ended: {}", renew_due(context)));
    }
    if lacks_names {
        hints.push(format!("add what was added to the profile: {}", renew_due(context)));
    }
    if differs {
        let dir = shell_path(context.directory);
        hints.push(format!("see what earlier runs changed: kpki history --dir {dir}"));
        hints.push(format!("undo one of them: kpki restore GENERATION --dir {dir}"));
        let and = if missing { ", and what is missing" } else { "" };
        hints.push(format!("or make what does not fit again{and}: {}", make(&["--force"])));
    } else if missing {
        hints.push(format!("make what is missing: {}", make(&[])));
    }
    hints.dedup();
    (whys, hints)
}

/// A CRL that goes to a node after its nextUpdate.
pub fn stale_list(origin: &Origin, authority: CaId, next_update: OffsetDateTime) -> String {
    let (name, ended) = (authority.name(), rfc3339(next_update));
    let update = origin.command("crl update", &[name], &[]);
    format!(
        "{name}.crl ended at {ended}: some readers of it refuse every client; sign its next issue and export again: {update}"
    )
}

/// What is packed as it is, and is of use on its own node alone.
pub fn kubelet_rotates(notices: &[Notice]) -> Vec<String> {
    let items = notices.iter().filter_map(|notice| match notice {
        Notice::KubeletRotates { item } => Some(item),
        _ => None,
    });
    let why =
        "names the kubelet's own certificate, which stays on its node: a new machine needs one that embeds its own";
    items.map(|item| format!("{item} {why}")).collect()
}

/// The message of one finding on a node.
pub fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Missing => "missing".to_owned(),
        Finding::Unreadable(why) => format!("cannot be read: {why}"),
        Finding::Broken(why) => format!("is not valid: {why}"),
        Finding::OtherNode(name) => format!("it is {}'s", named(name)),
        Finding::WithoutName(name) => format!("it is not valid for {name}"),
        Finding::WithoutAddress(address) => format!("it is not valid for {address}"),
        Finding::KeyMissing => "its key is missing".to_owned(),
        Finding::KeyBroken(why) => format!("its key cannot be used: {why}"),
        Finding::KeyMismatch => "its key does not match it".to_owned(),
        Finding::KeyNotMeant => {
            "its key lies here, and by the profile (caKeys) this node has none: delete it".to_owned()
        }
        Finding::Path(_, why) if why.is_about_dates() => why.to_string(),
        Finding::Path(authority, why) => format!("not signed by the {} beside it: {why}", authority.name()),
        Finding::OtherAuthority => "not the authority that was exported".to_owned(),
        Finding::OtherAuthorityData => "its certificate-authority-data is not the ca beside it".to_owned(),
        Finding::OtherServer { found, wanted } => format!("its server is {}, not {}", named(found), named(wanted)),
        Finding::OtherServiceAccount => "not the service account key that was exported".to_owned(),
        Finding::OtherPublicKeys => "it does not hold the public keys that were exported, in their order".to_owned(),
        Finding::NotTheSigner => "it is not the first certificate of ca.crt alone".to_owned(),
        Finding::CutAuthorityData => {
            "its certificate-authority-data lacks certificates of the ca beside it, which kpki renew replaces"
                .to_owned()
        }
        Finding::Older(Newer { is_in, from }) => {
            let of = match is_in {
                NewerIn::Archive => "what it is compared with",
                NewerIn::Journal => "the last one in the cluster directory's journal",
            };
            format!("older than {of}{}", from.map(|from| format!(", from {}", rfc3339(from))).unwrap_or_default())
        }
        Finding::NoList(why) => format!("it is no revocation list: {why}"),
        Finding::ForeignList => "it is not the exported list, and not signed by the authority beside it".to_owned(),
        Finding::OtherList => "another list than the exported one, with the same number".to_owned(),
        Finding::NotThePublicHalf => "sa.pub does not contain the public key of sa.key".to_owned(),
    }
}
