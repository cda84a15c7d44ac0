//! What is left to do in the cluster after an authority was renewed with its key: nothing fails before the certificate before ends.

use serde::Serialize;
use time::OffsetDateTime;

use crate::catalog::CaId;

/// Of one authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Afterwards {
    pub authority: &'static str,
    /// The end of the certificate before: from then on who holds only that one refuses the cluster.
    #[serde(serialize_with = "crate::report::json::instant")]
    pub until: OffsetDateTime,
    /// It has ended already: nothing works before all have the new one.
    pub ended: bool,
    pub steps: Vec<String>,
}

/// `ended`: the command for what has ended with it. `people`: whose kubeconfigs were made in this tree and are still valid.
pub fn afterwards(authority: CaId, until: OffsetDateTime, ended: Option<&str>, people: &[String]) -> Afterwards {
    let mut steps: Vec<String> = match authority {
        CaId::Cluster => &[
            "kube-controller-manager publishes the new one (kube-root-ca.crt of every namespace) once it is restarted; then restart \
             the workloads that read it only when they start",
            "cluster-info in kube-public holds the old one: put the new ca.crt in it, or nodes that join later trust what has ended; \
             the hash for kubeadm join is the key's, and stays",
            "copy ca.crt again to whoever has one of his own: load balancers, monitoring, CI, kubeconfigs of people",
        ][..],
        CaId::FrontProxy => &["kube-apiserver publishes the new one to extension API servers by itself \
             (extension-apiserver-authentication in kube-system)"],
        CaId::Etcd => &["copy etcd/ca.crt again to whoever has one of his own: backups, monitoring, network plugins"],
    }
    .iter()
    .map(|step| (*step).to_owned())
    .collect();
    if authority == CaId::Cluster && !people.is_empty() {
        steps.push(format!(
            "kubeconfigs that were made here hold the old one; make them again, or replace what they trust: {}",
            people.join(", ")
        ));
    }
    if let Some(command) = ended {
        steps.insert(0, format!("renew what has ended with it: {command}"));
    }
    Afterwards { authority: authority.name(), until, ended: ended.is_some(), steps }
}
