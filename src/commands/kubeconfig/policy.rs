//! Which users and groups get a certificate, and what is said about it.

use super::request::Request;
use crate::blueprint::Name;
use crate::catalog::CaId;
use crate::clock::Span;
use crate::error::Error;
use crate::files::shell_word;
use crate::plan::names_policy::{Field, Meaning, meaning};
use crate::plan::subject::{Flaw, flaws};

/// kube-apiserver's privileged group, which RBAC does not restrict.
const MASTERS: &str = "system:masters";

pub fn refuse(request: &Request) -> Result<(), Error> {
    if request.groups.iter().any(|group| group == MASTERS) && !request.allow_masters {
        return Err(Error::new(format!("a member of {MASTERS} may do everything, and RBAC cannot restrict it"))
            .because("until the certificate expires, only a new cluster CA can exclude its owner")
            .hint("give a group that RBAC binds, such as kubeadm:cluster-admins")
            .hint("confirm it with --allow-system-masters"));
    }
    if let Some(several) = request.groups.iter().find(|group| group.contains(',')) {
        let one = |group: &str| format!("--group {}", shell_word(group.trim()));
        let each: Vec<String> = several.split(',').map(one).collect();
        return Err(Error::usage(format!("{several:?} would be one group, whose name has a comma"))
            .hint(format!("give each group by itself: {}", each.join(" "))));
    }
    let subject = Name::of(&request.user, &request.groups.iter().map(String::as_str).collect::<Vec<_>>());
    if let Some(Flaw { value, expected, .. }) = flaws(&subject).into_iter().next() {
        return Err(Error::usage(format!("{value:?} is not a valid name for a user or group"))
            .because(format!("expected {expected} (RFC 5280 appendix A.1)"))
            .hint("give another name"));
    }
    if request.validity == Span::seconds(0) {
        return Err(Error::usage("--validity is zero").hint("give a duration such as 8h or 30d"));
    }
    Ok(())
}

/// What was confirmed by an option of its own is known.
fn is_news(one: &Meaning) -> bool {
    one.value != MASTERS
}

pub fn warnings(request: &Request) -> Vec<String> {
    let mut lines = Vec::new();
    let groups = request.groups.iter().map(|group| (Field::Organization, group));
    let names = std::iter::once((Field::CommonName, &request.user)).chain(groups);
    lines.extend(names.filter_map(|(field, name)| meaning(CaId::Cluster, field, name)).filter(is_news).map(|one| {
        let kind = if one.field == Field::CommonName { "user" } else { "group" };
        format!("the {kind} {}: {}", one.value, one.means)
    }));
    if request.groups.is_empty() {
        lines.push(format!("{} is in no group: bind a role to the user itself", request.user));
    }
    if request.validity > Span::days(365) {
        lines.push("it is valid for more than a year, and kube-apiserver reads no CRLs".to_owned());
    }
    lines
}
