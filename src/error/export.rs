//! Messages: why a node's files cannot be exported, and the findings of `export --verify`.

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::encoding::shown::named;
use crate::files::shell_path;
use crate::plan::decision::{Decision, Making, Notice, Reconciled};
use crate::plan::item::Item;
use crate::plan::node::Finding;
use crate::tree::Origin;
use crate::tree::layout::Place;

use super::plan::{Context, difference, refused};

/// Every difference between a node's items and the profile, one line each, with hints.
pub fn unfit(context: &Context<'_>, items: &[Item], reconciled: &Reconciled) -> (Vec<String>, Vec<String>) {
    let (mut whys, mut hints): (Vec<_>, Vec<_>) = reconciled.refusals.iter().map(|one| refused(context, one)).unzip();
    let (mut missing, mut differs) = (false, false);
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
                differs = true;
            }
        }
    }
    for notice in &reconciled.notices {
        if let Notice::KubeletRotates { item } = notice {
            whys.push(format!("{item}: its credentials are the kubelet's own files, which are not exported"));
        }
    }
    let make = |options: &[&str]| context.origin.command("init", &[""; 0], options);
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
        Finding::Path(_, why) if why.is_about_dates() => why.to_string(),
        Finding::Path(authority, why) => format!("not signed by the {} beside it: {why}", authority.name()),
        Finding::OtherAuthority => "not the authority that was exported".to_owned(),
        Finding::OtherAuthorityData => "its certificate-authority-data is not the ca beside it".to_owned(),
        Finding::OtherServer { found, wanted } => format!("its server is {}, not {}", named(found), named(wanted)),
        Finding::OtherServiceAccount => "not the service account key that was exported".to_owned(),
        Finding::NotTheSigner => "it is not the first certificate of ca.crt alone".to_owned(),
        Finding::CutAuthorityData => {
            "its certificate-authority-data lacks certificates of the ca beside it, which kpki renew replaces"
                .to_owned()
        }
        Finding::NotThePublicHalf => "sa.pub does not contain the public key of sa.key".to_owned(),
    }
}
