//! In the cluster: what pods, people and other programs trust and show.

use super::situation::{Instruction, Situation, Step};
use crate::catalog::CaId;
use crate::files::{shell_path, shell_word};
use crate::tree::rotation::Phase;

/// Who reads lists refuses every client of an issuer without one.
pub fn lists(situation: &Situation<'_>) -> Option<Instruction> {
    (!situation.lists.is_empty()).then(|| {
        let files = situation.lists.join(", ");
        Instruction::new(
            format!(
                "where HAProxy (crl-file) or nginx (ssl_crl) reads {files}: copy the new file there and reload at once"
            ),
            match situation.step {
                Step::Switch | Step::Emergency => {
                    "it refuses every client whose certificate the new authority has signed"
                }
                Step::Prepare | Step::Retire | Step::Back => {
                    "it goes on with the lists of before, and refuses every client when they end"
                }
            },
        )
    })
}

/// Objects and copies that no file of the tree is.
pub fn objects(situation: &Situation<'_>) -> Vec<Instruction> {
    let mut all = Vec::new();
    if situation.rotates(CaId::Cluster) {
        all.extend(trusted_by_pods(situation));
        all.extend(cluster_info(situation));
        all.extend(outside(situation));
    }
    if situation.rotates(CaId::Cluster) || situation.rotates(CaId::FrontProxy) {
        all.extend(extension_api_servers(situation));
    }
    if situation.rotates(CaId::Etcd) {
        all.extend(etcd_clients(situation));
    }
    if situation.rotates_service_account() {
        all.extend(tokens(situation));
    }
    all.extend(uploaded(situation));
    all.extend(scan(situation));
    all
}

/// kube-root-ca.crt first, then the pods: one that starts too early reads the old one for the rest of its life.
fn trusted_by_pods(situation: &Situation<'_>) -> Vec<Instruction> {
    let dir = shell_path(situation.dir);
    let published = Instruction::new(
        "wait until kube-root-ca.crt of every namespace holds what ca.crt holds; kube-controller-manager writes it after its restart",
        "pods that start before keep what they read, and refuse kube-apiserver later",
    )
    .run(format!(
        "kubectl get configmap -A --field-selector metadata.name=kube-root-ca.crt -o json | kpki rotate scan - --dir {dir}"
    ))
    .see("kpki rotate scan ends with 0");
    let restarted = Instruction::new(
        "then restart the workloads, kube-proxy and the CNI first: most programs read the CA only when they start",
        "pods that only know the old authority refuse kube-apiserver after the next step",
    )
    .run("kubectl -n kube-system rollout restart daemonset")
    .run(
        "kubectl get namespaces -o name | cut -d/ -f2 | xargs -I{} kubectl -n {} rollout restart daemonset,deployment,statefulset",
    )
    .see("kubectl get pods -A --sort-by=.status.startTime");
    match situation.step {
        Step::Prepare | Step::Emergency => vec![published, restarted],
        Step::Retire | Step::Back => vec![published],
        Step::Switch => Vec::new(),
    }
}

fn cluster_info(situation: &Situation<'_>) -> Option<Instruction> {
    if situation.step == Step::Switch {
        return None;
    }
    let hash = situation.join_hashes.first().map(|hash| format!(" --discovery-token-ca-cert-hash {hash}"));
    let what = "bring kube-public/cluster-info, which kubeadm join reads, to the certificates of ca.crt";
    let skipped =
        "kubeadm join fails: the API server's certificate does not verify, or the hash is of no certificate there";
    let instruction = Instruction::new(what, skipped);
    let ca = shell_path(format!("{}/pki/ca.crt", situation.dir));
    let instruction = match (situation.manifests, situation.server) {
        (Some(dir), _) => {
            instruction.run(format!("kubectl apply -f {}", shell_path(format!("{dir}/cluster-info.yaml"))))
        }
        (None, Some(server)) => instruction.run(format!(
            "kpki convert {ca} --as cluster-info --server {} --out - | kubectl apply -f -",
            shell_word(server)
        )),
        (None, None) => instruction,
    };
    Some(match hash {
        Some(hash) => instruction.see(format!("new join commands have{hash}")),
        None => instruction,
    })
}

/// Who has a copy of ca.crt, or a credential.
fn outside(situation: &Situation<'_>) -> Option<Instruction> {
    let copies = "load balancers (ca-file), monitoring, backup jobs, CI";
    Some(match situation.step {
        Step::Prepare => Instruction::new(
            format!(
                "give the new ca.crt, or the new admin.conf, to everybody outside the cluster: people's kubeconfigs, {copies}"
            ),
            "they refuse kube-apiserver from the switch on",
        ),
        Step::Switch | Step::Emergency => Instruction::new(
            format!("give new credentials to everybody outside the cluster: people's kubeconfigs, {copies}"),
            "they are refused when the old authority is not trusted any more",
        ),
        Step::Retire => Instruction::new(
            format!("take the old certificate out of the copies outside the cluster: {copies}"),
            "they go on trusting the old authority",
        ),
        Step::Back if situation.back_to == Some(Phase::Prepared) => Instruction::new(
            format!(
                "give credentials of the old authority to everybody outside the cluster who has got some of the new one: people's \
                 kubeconfigs, {copies}"
            ),
            "they are refused when the new authority is not trusted any more",
        ),
        Step::Back => return None,
    })
}

/// API servers only ever add to this object.
fn extension_api_servers(situation: &Situation<'_>) -> Option<Instruction> {
    matches!(situation.step, Step::Retire | Step::Emergency).then(|| {
        Instruction::new(
            "delete kube-system/extension-apiserver-authentication after the restarts: kube-apiserver writes it again within seconds, \
             with what it trusts now",
            "extension API servers and kube-scheduler go on trusting the old authority: kube-apiserver takes nothing out of this object",
        )
        .run("kubectl -n kube-system delete configmap extension-apiserver-authentication")
        .see("kubectl -n kube-system get configmap extension-apiserver-authentication -o yaml | grep -c 'BEGIN CERTIFICATE'")
    })
}

fn etcd_clients(situation: &Situation<'_>) -> Option<Instruction> {
    let what = match situation.step {
        Step::Prepare => "give the new etcd/ca.crt to every other client of etcd: backup jobs, monitoring, the CNI",
        Step::Switch | Step::Emergency => {
            "give new client certificates to every other client of etcd: backup jobs, monitoring, the CNI"
        }
        Step::Retire | Step::Back => return None,
    };
    Some(Instruction::new(what, "their connections to etcd fail after the next step"))
}

/// kube-controller-manager writes the token again.
const TOKEN_SECRETS: &str = "kubectl get secrets -A --field-selector type=kubernetes.io/service-account-token -o \
    jsonpath='{range .items[*]}{.metadata.namespace} {.metadata.name}{\"\\n\"}{end}' | while read -r namespace name; do kubectl -n \
    \"$namespace\" patch secret \"$name\" --type=json -p '[{\"op\":\"remove\",\"path\":\"/data/token\"}]'; done";

fn tokens(situation: &Situation<'_>) -> Vec<Instruction> {
    match situation.step {
        Step::Prepare => vec![Instruction::new(
            "where others verify tokens of service accounts (OIDC relying parties, cloud IAM), wait until they have the new key: they \
             keep /openid/v1/jwks for a day as a rule",
            "they refuse tokens of the new key",
        )
        .run("kubectl get --raw /openid/v1/jwks")],
        Step::Switch => vec![
            Instruction::new(
                "wait 24 hours: within that time every kubelet has renewed the tokens in its pods",
                "programs that never read their token again are refused after the retirement",
            )
            .see("kubectl get --raw /metrics | grep serviceaccount_stale_tokens_total"),
            Instruction::new(
                "have every token secret written again: it never ends, and its token is of the old key; whoever copied one needs the new one",
                "these tokens are refused after the retirement",
            )
            .run(TOKEN_SECRETS),
        ],
        Step::Emergency => vec![Instruction::new(
            "restart all pods: every token is refused until the kubelet has renewed it",
            "pods get 401 for up to half an hour, and longer where a program never reads its token again",
        )],
        Step::Back if situation.back_to == Some(Phase::Prepared) => vec![
            Instruction::new(
                "wait 24 hours: within that time every kubelet has renewed the tokens in its pods",
                "programs that never read their token again are refused when the new key is not accepted any more",
            )
            .see("kubectl get --raw /metrics | grep serviceaccount_stale_tokens_total"),
            Instruction::new(
                "have every token secret written again: it never ends, and its token may be of the new key",
                "these tokens are refused when the new key is not accepted any more",
            )
            .run(TOKEN_SECRETS),
        ],
        Step::Retire | Step::Back => Vec::new(),
    }
}

/// `kubeadm init phase upload-certs`: the keys that joining control-plane nodes fetch.
fn uploaded(situation: &Situation<'_>) -> Option<Instruction> {
    let deletes = matches!(situation.step, Step::Prepare | Step::Switch | Step::Back | Step::Emergency);
    deletes.then(|| {
        Instruction::new(
            "delete kube-system/kubeadm-certs, if it is there: it has the files of before; who needs it uploads it again",
            "a control-plane node that joins with it has files of another phase",
        )
        .run("kubectl -n kube-system delete secret kubeadm-certs --ignore-not-found")
    })
}

/// Where the old authority still is.
fn scan(situation: &Situation<'_>) -> Option<Instruction> {
    matches!(situation.step, Step::Switch | Step::Retire | Step::Emergency).then(|| {
        let dir = shell_path(situation.dir);
        Instruction::new(
            "look for the old authority in the cluster: webhooks, API services, secrets, config maps",
            "what still has it fails, or goes on trusting it",
        )
        .run(format!(
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices,customresourcedefinitions,secrets,configmaps \
             -A -o json | kpki rotate scan - --dir {dir}"
        ))
    })
}
