//! Who reads revocation lists, and who does not: said with every revocation, because most of Kubernetes does not.

use crate::catalog::{CaId, readers};
use crate::plan::revoke::Verb;

/// The sentence help and reports share.
pub const fn unread() -> &'static str {
    "kube-apiserver reads no CRLs: it accepts the certificate until it expires"
}

/// What people have to do now, for these authorities' lists.
pub fn notes(verb: Verb, touched: &[CaId], pki: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if verb == Verb::Release {
        return notes;
    }
    if touched.contains(&CaId::Cluster) {
        notes.push(unread().to_owned());
        notes.push(
            "a leaked kubeconfig: remove the RoleBindings and ClusterRoleBindings of its user and groups; one of system:masters \
             needs none, and only a new CA excludes it (its key, its trust on every node and in every kubeconfig)"
                .to_owned(),
        );
    }
    if touched.contains(&CaId::Etcd) {
        let files = readers::of_crl("etcd").map(|row| format!("{} reads {pki}/{}", row.releases, row.file));
        notes.push(format!(
            "{} if configured (DER only from 3.6 on): --client-crl-file for clients, --peer-crl-file for members, on every member; for \
             every handshake, without a restart. etcd looks at serial numbers only: it takes no notice of a stale CRL, and goes on \
             with the entries that it has",
            files.collect::<Vec<_>>().join(", ")
        ));
    }
    if touched.contains(&CaId::FrontProxy) {
        notes.push(
            "kube-apiserver reads no CRL for front-proxy-client either: only a new front-proxy-ca excludes it"
                .to_owned(),
        );
    }
    notes.push(
        "HAProxy (crl-file) and nginx (ssl_crl) read a CRL when they are reloaded: copy it there first; once it is stale, they refuse \
         every client"
            .to_owned(),
    );
    notes
}

/// kubeadm's own authorities have no cRLSign.
pub fn without_crl_sign(authority: CaId) -> String {
    format!(
        "{} has no cRLSign in its key usage (kubeadm's authorities do not); strict readers refuse its CRLs: \
         OpenSSL and what is built on it (HAProxy, nginx: error 35, every client is refused), Go's crypto/x509 \
         (RevocationList.CheckSignatureFrom), rustls; etcd accepts them",
        authority.name()
    )
}
