//! Why a node's files cannot be exported, and what is wrong with those on a node, in words.

use crate::plan::decision::{Decision, Making, Notice, Reconciled};
use crate::plan::init::Item;
use crate::plan::node::Finding;
use crate::tree::layout::Place;

use super::plan::{Context, difference, refused};

/// Everything that keeps the items of a node from being what the profile says, an entry each, and what to do about it.
pub fn unfit(context: &Context<'_>, items: &[Item], reconciled: &Reconciled) -> (Vec<String>, Vec<String>) {
    let (mut whys, mut hints): (Vec<_>, Vec<_>) = reconciled.refusals.iter().map(refused).unzip();
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
            whys.push(format!("{item}: its credentials are files of the kubelet's own, which are not exported"));
        }
    }
    let dir = context.directory.display();
    if missing {
        hints.push(format!("make what is missing: kpki init --dir {dir}"));
    }
    if differs {
        hints.push(format!("see what was replaced with kpki history --dir {dir}; kpki restore puts it back"));
        hints.push(format!("make anew what does not fit: kpki init --force --dir {dir}"));
    }
    hints.dedup();
    (whys, hints)
}

/// What is wrong with one entry on a node.
pub fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Missing => "missing".to_owned(),
        Finding::Unreadable(why) => format!("cannot be read: {why}"),
        Finding::Broken(why) => format!("is not what it should be: {why}"),
        Finding::OtherNode(name) => format!("it is {name}'s"),
        Finding::WithoutName(name) => format!("it is not valid for {name}"),
        Finding::WithoutAddress(address) => format!("it is not valid for {address}"),
        Finding::KeyMissing => "its key is missing".to_owned(),
        Finding::KeyBroken(why) => format!("its key cannot be used: {why}"),
        Finding::KeyMismatch => "its key does not match it".to_owned(),
        Finding::Path(_, why) if why.is_about_dates() => why.to_string(),
        Finding::Path(authority, why) => format!("not signed by the {} beside it: {why}", authority.name()),
        Finding::OtherAuthority => "not the authority that was exported".to_owned(),
        Finding::OtherAuthorityData => "its certificate-authority-data is not the ca beside it".to_owned(),
        Finding::OtherServer { found, wanted } => format!("it talks to {found}, not to {wanted}"),
        Finding::OtherServiceAccount => "not the service account key that was exported".to_owned(),
        Finding::NotThePublicHalf => "sa.pub does not hold the public half of sa.key".to_owned(),
    }
}
