//! What an emergency leaves to do in the cluster, in order. Who has the key of an authority may have made himself other ways in.

use crate::catalog::CaId;
use crate::tree::rotation::Rotating;

/// One line each, in order. `trust_file`: the file for `--root-ca-file` on a control-plane node.
pub fn emergency(rotating: Rotating, trust_file: &str) -> Vec<String> {
    match rotating {
        Rotating::Authority(CaId::Cluster) => cluster(trust_file),
        Rotating::Authority(CaId::Etcd) => owned(&[
            "bring the new files to every node with etcd or kube-apiserver before anything is restarted",
            "stop all etcd members, then start all: a member with old files and one with new files refuse each other; it takes seconds",
            "see that it worked: etcdctl endpoint health --cluster, with the new healthcheck-client certificate",
            "restart kube-apiserver on every control-plane node",
            "search etcd for what a stranger may have written: whoever could reach it read every secret and could write any object; \
             replace secrets and tokens, check role bindings and admission webhooks",
        ]),
        Rotating::Authority(CaId::FrontProxy) => owned(&[
            "bring the new files to every control-plane node",
            "restart kube-apiserver on all of them at once: they are proxy clients of extension API servers and trust each other's",
            "kubectl -n kube-system delete configmap extension-apiserver-authentication: API servers only ever add to it; it is back in \
             seconds, with the new authority alone",
            "restart extension API servers (metrics-server, for one)",
            "check role bindings and audit logs: whoever had the key could be any user at an extension API server",
        ]),
        Rotating::ServiceAccount => owned(&[
            "bring sa.key and sa.pub to every control-plane node",
            "restart kube-apiserver and kube-controller-manager on all of them at once: from here no token of the old key is accepted, \
             and pods get 401 until they have a new one",
            "restart pods, DaemonSets first: the kubelet renews a token only near its end",
            "make new tokens of secrets: kubectl get secrets -A --field-selector type=kubernetes.io/service-account-token; drop each \
             token (kubectl -n NAMESPACE patch secret NAME --type=json -p '[{\"op\":\"remove\",\"path\":\"/data/token\"}]'), and give the \
             new one to whoever copied the old one",
            "tell relying parties of /openid/v1/jwks (cloud IAM) that the key has changed",
            "check role bindings, secrets and admission webhooks: whoever had the key could be any service account",
        ]),
    }
}

fn cluster(trust_file: &str) -> Vec<String> {
    let mut all = owned(&[
        "bring the new files to every control-plane node (kpki export, kpki unpack) before anything is restarted",
    ]);
    all.push(format!(
        "bring ca-trust.crt to {trust_file} on every control-plane node, and set --root-ca-file={trust_file} of \
         kube-controller-manager: pods learn the new authority before they lose the old one"
    ));
    all.extend(owned(&[
        "restart kube-apiserver, kube-controller-manager and kube-scheduler on all control-plane nodes at once: the API is away for \
         seconds to a minute; from here no certificate of the old authority opens it",
        "kubectl -n kube-system delete configmap extension-apiserver-authentication: or extension API servers go on trusting the old one",
        "every node, as fast as possible: the new kubelet.conf, remove the link kubelet-client-current.pem, restart the kubelet; until then \
         nodes are NotReady after 40 s, and pods run on",
        "restart pods, DaemonSets first",
        "give new kubeconfigs to people and programs: every old one is refused",
        "rotate sa as well, and etcd-ca if etcd was within reach: whoever had the key could read both",
        "audit what a stranger may have left: role bindings, certificate signing requests, tokens in secrets, admission webhooks, static pods",
        "when every pod is restarted, end it with kpki rotate retire ca: ca-trust.crt goes, and --root-ca-file is ca.crt again",
    ]));
    all
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
