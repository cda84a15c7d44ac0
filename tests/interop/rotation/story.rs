//! A cluster that runs, its cluster directory on a safe host, and the steps of a rotation as an operator takes them: `kpki rotate`,
//! the files to every node by `kpki export` and `kpki unpack`, restarts in their order, receipts.

use std::path::PathBuf;

use super::components::Files;
use super::control_plane::{ControlPlane, NODES};
use super::probe::{Probe, Who};
use super::wire::Credential;
use crate::site::Site;
use crate::support::{Ran, program, run, say, write};

pub struct Story {
    // Clients end before what they ask.
    pub probe: Probe,
    pub cluster: ControlPlane,
    pub site: Site,
    nodes: Vec<&'static str>,
}

pub fn files(site: &Site, node: &str) -> Files {
    Files { dir: site.node(node), kubelet: site.root(node).join("var/lib/kubelet/pki") }
}

impl Story {
    pub fn begin(profile: &str) -> Self {
        let site = Site::made(profile, "-2d");
        let nodes: Vec<_> = NODES.iter().map(|(node, _)| *node).collect();
        site.ship(&nodes);
        let all = nodes.iter().map(|node| files(&site, node)).collect();
        let cluster = ControlPlane::start(all, site.path("running"));
        let probe = cluster.clients();
        let story = Self { probe, cluster, site, nodes };
        story.confirm();
        story.expect_none("before");
        story
    }

    /// No client, and no server, has seen a failure since the last look.
    #[track_caller]
    pub fn expect_none(&self, phase: &str) {
        self.probe.expect_none(phase);
        assert_eq!(self.cluster.refused(), Vec::<String>::new(), "{phase}");
    }

    pub fn cp1(&self) -> Files {
        files(&self.site, "cp1")
    }

    /// A step, and its files to every node.
    #[track_caller]
    pub fn step(&self, words: &[&str]) -> Ran {
        let said = self.site.safe(&[&["rotate"], words].concat()).expect_ok(format_args!("{words:?}"));
        self.ship();
        said
    }

    pub fn ship(&self) {
        self.site.ship(&self.nodes);
        self.expect_none("files");
    }

    /// Bundles are what changed: everybody who holds one.
    pub fn restart_for_bundles(&mut self) {
        self.cluster.roll_etcd(&self.probe);
        self.restart_for_leaves();
    }

    /// etcd takes up its pairs by itself.
    pub fn restart_for_leaves(&mut self) {
        self.cluster.roll_api_servers(&self.probe);
        self.cluster.restart_controller_manager();
        self.cluster.kubelets_restart(&self.probe);
        self.cluster.pods_restart(&self.probe);
        self.expect_none("restarts");
    }

    /// Receipts of every node, beside processes that have started since.
    pub fn confirm(&self) {
        self.site.restart(&self.nodes);
    }

    /// What lies on the safe host and on every node is whole.
    pub fn verify(&self) {
        self.site.verify(&self.nodes);
    }

    /// `kpki init` with a worker more, which joins.
    pub fn joins(&mut self, profile: &str, node: &'static str) {
        let profile = self.site.profile(profile);
        self.site.safe(&["init", "--profile", &profile]).expect_ok(node);
        self.nodes.push(node);
        self.site.ship(&[node]);
        self.cluster.joins(node, files(&self.site, node), &self.probe);
        self.expect_none(node);
    }

    /// Those who go on with what they have now, and with a token from before.
    pub fn stragglers(&self, token: &str) {
        self.cluster.stragglers(&self.probe, token);
        self.expect_none("stragglers");
    }

    /// The old authority's certificates and tokens are in use nowhere any more.
    pub fn without_stragglers(&self) {
        for who in [Who::Straggler, Who::OldToken, Who::StaleEtcdClient] {
            self.probe.gone(who);
        }
    }

    /// Go's reading of a kubeconfig, and its handshake, with every API server.
    pub fn kubectl(&self, config: &str) {
        for at in &self.cluster.apis {
            let mut kubectl = program("kubectl");
            kubectl.env_clear().env("HOME", self.site.path("home")).args(["--server", &format!("https://{at}")]);
            kubectl.arg("--kubeconfig").arg(self.site.node("cp1").join(config));
            run(kubectl.args(["get", "--raw", "/readyz"])).expect_ok(format_args!("kubectl with {config}"));
        }
    }

    /// What the controller manager signs for a kubelet that asks: by the one certificate of ca-signer.crt. Its issuer, and a
    /// credential with it.
    pub fn signed_in_the_cluster(&self) -> (String, Credential) {
        let (place, pki) = (self.site.path("csr"), self.site.node("cp1").join("pki"));
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let signer = pki.join("ca-signer.crt");
        let found = super::wire::certificates(&super::wire::read(&signer)).len();
        assert_eq!(found, 1, "ca-signer.crt: expected 1 certificate, found {found}");
        let usage = text(write(place.join("usage"), "extendedKeyUsage=clientAuth\n"));
        let [key, request, certificate] =
            ["kubelet.key", "kubelet.csr", "kubelet.crt"].map(|name| text(place.join(name)));
        let new = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"];
        say(
            "openssl",
            new.iter().copied().chain(["/O=system:nodes/CN=system:node:w1", "-keyout", &key, "-out", &request]),
        );
        let (signer, signs) = (text(signer), text(pki.join("ca.key")));
        let sign = ["x509", "-req", "-days", "30", "-CAcreateserial", "-CA", &signer, "-CAkey", &signs, "-extfile"];
        let serial = text(place.join("serial"));
        let rest = [&usage, "-CAserial", &serial, "-in", &request, "-out", &certificate];
        say("openssl", sign.iter().copied().chain(rest));
        let issuer = say("openssl", ["x509", "-noout", "-issuer", "-in", &certificate]);
        let roots = super::wire::roots(&super::wire::read(&pki.join("ca.crt")));
        let pair = Some(super::wire::pair(&place.join("kubelet")));
        (issuer.trim().trim_start_matches("issuer=").to_owned(), Credential { roots, pair, token: None })
    }
}
