//! Which users and groups get a certificate, and what is said about it.

use super::request::Request;
use crate::clock::Span;
use crate::error::Error;

/// kube-apiserver's privileged group, which RBAC does not restrict.
const MASTERS: &str = "system:masters";

pub fn refuse(request: &Request) -> Result<(), Error> {
    if request.groups.iter().any(|group| group == MASTERS) && !request.allow_masters {
        return Err(Error::new(format!("a member of {MASTERS} may do everything, and RBAC cannot restrict it"))
            .because("until the certificate expires, only a new cluster CA can exclude its owner")
            .hint("give a group that RBAC binds, such as kubeadm:cluster-admins")
            .hint("confirm it with --allow-system-masters"));
    }
    let texts = std::iter::once(&request.user).chain(&request.groups);
    for text in texts {
        let length = text.chars().count();
        if length == 0 || length > 64 || text.chars().any(char::is_control) {
            return Err(Error::usage(format!("{text:?} is not a valid name for a user or group"))
                .because("expected 1 to 64 characters without control characters (RFC 5280 appendix A.1)"));
        }
    }
    if request.validity == Span::seconds(0) {
        return Err(Error::usage("--validity is zero").hint("give a duration such as 8h or 30d"));
    }
    Ok(())
}

pub fn warnings(request: &Request) -> Vec<String> {
    let mut lines = Vec::new();
    if request.user.starts_with("system:") {
        lines.push(format!("{} is a name that Kubernetes keeps for its own components", request.user));
    }
    if request.groups.is_empty() {
        lines.push(format!("{} is in no group: bind a role to the user itself", request.user));
    }
    if request.validity > Span::days(365) {
        lines.push("it is valid for more than a year, and kube-apiserver reads no CRLs".to_owned());
    }
    lines
}
