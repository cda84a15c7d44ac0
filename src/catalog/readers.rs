//! Who reads a file of the tree, and what it takes for a new one to be used, by release. Every word about restarts comes from
//! this table; docs/reference/readers.md and kpki-renew(1) show it, and `fixtures/readers/` has what was seen of real components, written down apart
//! from it. kubeadm only says "restart kube-apiserver, kube-controller-manager, kube-scheduler and etcd", whatever was renewed.

use std::fmt;

use super::releases::Release;

/// In which order the components of a node are restarted: each needs the ones before it.
pub const COMPONENTS: [&str; 5] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", KUBELET];

pub const KUBELET: &str = "kubelet";

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It holds what it read when it started.
    Restart,
    /// It uses the new file after so many seconds at the latest; 0: from the next connection on.
    Itself(u32),
    /// It is told to read its files again.
    Reload,
    /// The file is copied to where it is used.
    CopyAgain,
}

impl Action {
    /// Its name in documents and for deploy hooks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Itself(_) => "none",
            Self::Reload => "reload",
            Self::CopyAgain => "copy-again",
        }
    }

    /// For an action of itself: how long it takes.
    pub fn within(self) -> Option<String> {
        let Self::Itself(seconds) = self else { return None };
        Some(match seconds {
            0 => "at the next connection".to_owned(),
            60 => "within a minute".to_owned(),
            seconds => format!("within {} minutes", seconds / 60),
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within() {
            Some(within) => write!(f, "by itself, {within}"),
            None => f.write_str(match self {
                Self::CopyAgain => "copied again",
                other => other.name(),
            }),
        }
    }
}

/// For which releases a row holds: minors, from the first up to and without the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Releases {
    All,
    /// Of Kubernetes 1.
    Kubernetes(u32, u32),
    /// Of etcd 3.
    Etcd(u32, u32),
}

const NO_END: u32 = u32::MAX;

impl Releases {
    /// etcd's own release is known to no profile: its rows hold for every release of Kubernetes.
    pub const fn holds(self, release: Release) -> bool {
        match self {
            Self::Kubernetes(from, end) => from <= release.minor && release.minor < end,
            Self::All | Self::Etcd(..) => true,
        }
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (program, major, from, end) = match *self {
            Self::All => return f.write_str("all"),
            Self::Kubernetes(from, end) => ("Kubernetes", 1, from, end),
            Self::Etcd(from, end) => ("etcd", 3, from, end),
        };
        match (from, end.saturating_sub(1)) {
            (from, _) if end == NO_END => write!(f, "{program} from {major}.{from}"),
            (0, last) => write!(f, "{program} up to {major}.{last}"),
            (from, last) => write!(f, "{program} {major}.{from} to {major}.{last}"),
        }
    }
}

/// Which part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The pair, or the kubeconfig's credential; an authority's certificates; a key pair.
    Content,
    /// What a kubeconfig trusts.
    AuthorityData,
    /// The client certificate that the kubelet rotates itself.
    Rotated,
    /// An authority's CRL.
    Crl,
}

/// One file and one of its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    pub entry: &'static str,
    pub part: Part,
    /// The file, or the part of it, as tables name it.
    pub file: &'static str,
    /// One of [`COMPONENTS`], or `pods`, `people` and programs that are not Kubernetes'.
    pub component: &'static str,
    /// The flag or field that names the file.
    pub setting: &'static str,
    pub releases: Releases,
    pub action: Action,
    /// A sentence about the component.
    pub why: &'static str,
    /// What the action does not cover.
    pub except: Option<&'static str>,
    /// `run`: seen with real components; `source`: read there; an issue or pull request.
    pub source: &'static str,
}

const fn reads(entry: &'static str, file: &'static str, component: &'static str, setting: &'static str) -> Reader {
    Reader {
        entry,
        part: Part::Content,
        file,
        component,
        setting,
        releases: Releases::All,
        action: Action::Restart,
        why: "",
        except: None,
        source: "",
    }
}

/// What one file holds and is named after.
const fn entry(entry: &'static str, component: &'static str, setting: &'static str) -> Reader {
    reads(entry, entry, component, setting)
}

impl Reader {
    const fn part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    const fn of(self, releases: Releases) -> Self {
        Self { releases, ..self }
    }

    const fn restart(self, why: &'static str, source: &'static str) -> Self {
        Self { action: Action::Restart, why, source, ..self }
    }

    const fn itself(self, within: u32, why: &'static str, source: &'static str) -> Self {
        Self { action: Action::Itself(within), why, source, ..self }
    }

    const fn does(self, action: Action, why: &'static str, source: &'static str) -> Self {
        Self { action, why, source, ..self }
    }

    const fn except(self, except: &'static str) -> Self {
        Self { except: Some(except), ..self }
    }
}

const EMBEDDED: &str = "it holds the client certificate it read when it started";
const FROM_START: &str = "it holds what it read when it started";
const AUTHORITY_DATA: &str = "it holds the CA data it read when it started";
const HANDSHAKE: &str = "it reads the pair again for every handshake";
const COPIES: &str = "copies of the file, such as ~/.kube/config, still hold the old one";
const DIALS: &str = "new connections use the new pair, and the old connections are closed within 5 minutes";
const WATCHES: &str = "it watches the file";

const RUN: &str = "run of 1.36.2";
const SOURCE: &str = "source of 1.36.2";
const RUN_ETCD: &str = "run of etcd 3.4.23";
const KUBECONFIG: &str = "--kubeconfig";

/// Before which minor the API server reached a kubelet's new serving pair by name only.
const BY_ADDRESS: &str = "clients that connect by address, as kube-apiserver does unless it is told otherwise, get the new pair only \
                          after a restart of the kubelet, up to Kubernetes 1.35";

pub const READERS: &[Reader] = &[
    entry("apiserver", "kube-apiserver", "--tls-cert-file, --tls-private-key-file").itself(
        60,
        "it watches its serving pair",
        RUN,
    ),
    entry("apiserver-kubelet-client", "kube-apiserver", "--kubelet-client-certificate, --kubelet-client-key").itself(
        300,
        DIALS,
        "run of 1.36.2, kubernetes#79083",
    ),
    entry("front-proxy-client", "kube-apiserver", "--proxy-client-cert-file, --proxy-client-key-file").itself(
        300,
        DIALS,
        RUN,
    ),
    entry("apiserver-etcd-client", "kube-apiserver", "--etcd-certfile, --etcd-keyfile").itself(
        0,
        "it reads the pair again for every new connection",
        SOURCE,
    ),
    entry("etcd-server", "etcd", "--cert-file, --key-file").itself(0, HANDSHAKE, RUN_ETCD),
    entry("etcd-peer", "etcd", "--peer-cert-file, --peer-key-file").itself(0, HANDSHAKE, RUN_ETCD),
    entry("etcd-healthcheck-client", "etcd", "liveness probes").itself(
        0,
        "probes read it each time they run",
        "source of kubeadm",
    ),
    entry("admin.conf", "people", "KUBECONFIG").does(Action::CopyAgain, COPIES, "kubeadm"),
    entry("super-admin.conf", "people", "KUBECONFIG").does(Action::CopyAgain, COPIES, "kubeadm"),
    entry("kubelet.conf", "kubelet", KUBECONFIG).restart(EMBEDDED, SOURCE),
    reads("kubelet.conf", "kubelet-client-current.pem", "kubelet", "rotateCertificates").part(Part::Rotated).itself(
        0,
        "it rotates this certificate itself, and uses it whatever kubelet.conf embeds",
        "run of kubelet 1.36.2",
    ),
    entry("controller-manager.conf", "kube-controller-manager", KUBECONFIG).restart(EMBEDDED, SOURCE),
    entry("scheduler.conf", "kube-scheduler", KUBECONFIG).restart(EMBEDDED, SOURCE),
    entry("kubelet-serving", "kubelet", "tlsCertFile, tlsPrivateKeyFile")
        .of(Releases::Kubernetes(0, 31))
        .restart("it holds the serving pair it read when it started", SOURCE),
    entry("kubelet-serving", "kubelet", "tlsCertFile, tlsPrivateKeyFile")
        .of(Releases::Kubernetes(31, 36))
        .itself(60, "it watches its serving pair", "source of 1.36.2, kubernetes#124574, #133654")
        .except(BY_ADDRESS),
    entry("kubelet-serving", "kubelet", "tlsCertFile, tlsPrivateKeyFile").of(Releases::Kubernetes(36, NO_END)).itself(
        60,
        "it watches its serving pair",
        "source of 1.36.2, kubernetes#133654",
    ),
    reads("ca", "ca.crt", "kube-apiserver", "--client-ca-file").itself(60, WATCHES, RUN),
    reads("ca", "ca.crt", "kube-apiserver", "--kubelet-certificate-authority, where set")
        .of(Releases::Kubernetes(0, 36))
        .restart(
            "it holds the authorities for kubelets that it read when it started, where --kubelet-certificate-authority is set",
            "kubernetes#132922",
        ),
    reads("ca", "ca.crt", "kube-apiserver", "--kubelet-certificate-authority, where set")
        .of(Releases::Kubernetes(36, NO_END))
        .itself(300, WATCHES, "source of 1.36.2, kubernetes#132922"),
    reads("ca", "ca.crt", "kube-controller-manager", "--root-ca-file").restart(
        "it goes on publishing the authorities it read when it started (kube-root-ca.crt of every namespace)",
        SOURCE,
    ),
    reads("ca", "ca.crt", "kube-controller-manager", "--client-ca-file").itself(60, WATCHES, SOURCE),
    reads("ca", "ca.crt, ca.key", "kube-controller-manager", "--cluster-signing-cert-file, --cluster-signing-key-file")
        .itself(60, "it watches its signing pair; the file must hold exactly one certificate", RUN),
    reads("ca", "ca.crt", "kube-scheduler", "extension-apiserver-authentication").itself(
        60,
        "it watches the config map",
        SOURCE,
    ),
    reads("ca", "ca.crt", "kubelet", "authentication.x509.clientCAFile").itself(60, WATCHES, SOURCE),
    reads("ca", "ca.crt", "pods", "kube-root-ca.crt").restart(
        "the file in a pod follows within 2 minutes, and most programs read it only when they start",
        "kubernetes#119483, #132922",
    ),
    reads("front-proxy-ca", "front-proxy-ca.crt", "kube-apiserver", "--requestheader-client-ca-file")
        .itself(60, WATCHES, RUN),
    reads("front-proxy-ca", "front-proxy-ca.crt", "kube-controller-manager", "--requestheader-client-ca-file")
        .itself(60, WATCHES, SOURCE),
    reads("etcd-ca", "etcd/ca.crt", "etcd", "--trusted-ca-file, --peer-trusted-ca-file").restart(
        "it holds the authorities it read when it started",
        "run of etcd 3.4.23, etcd#11555",
    ),
    reads("etcd-ca", "etcd/ca.crt", "kube-apiserver", "--etcd-cafile").restart(
        "it holds the authorities for etcd that it read when it started",
        SOURCE,
    ),
    reads("sa", "sa.pub", "kube-apiserver", "--service-account-key-file").restart(FROM_START, RUN),
    reads("sa", "sa.key", "kube-apiserver", "--service-account-signing-key-file").restart(FROM_START, RUN),
    reads("sa", "sa.key", "kube-controller-manager", "--service-account-private-key-file").restart(FROM_START, SOURCE),
    reads("kubelet.conf", "CA data of kubelet.conf", "kubelet", KUBECONFIG)
        .part(Part::AuthorityData)
        .restart(AUTHORITY_DATA, SOURCE),
    reads("controller-manager.conf", "CA data of controller-manager.conf", "kube-controller-manager", KUBECONFIG)
        .part(Part::AuthorityData)
        .restart(AUTHORITY_DATA, SOURCE),
    reads("scheduler.conf", "CA data of scheduler.conf", "kube-scheduler", KUBECONFIG)
        .part(Part::AuthorityData)
        .restart(AUTHORITY_DATA, SOURCE),
    reads("admin.conf", "CA data of admin.conf", "people", "KUBECONFIG").part(Part::AuthorityData).does(
        Action::CopyAgain,
        COPIES,
        "kubeadm",
    ),
    reads("super-admin.conf", "CA data of super-admin.conf", "people", "KUBECONFIG").part(Part::AuthorityData).does(
        Action::CopyAgain,
        COPIES,
        "kubeadm",
    ),
    reads("etcd-ca", "etcd/ca.crl", "etcd", "--client-crl-file, --peer-crl-file")
        .part(Part::Crl)
        .of(Releases::Etcd(0, 6))
        .itself(0, "it reads the CRL for every handshake: serial numbers only, no date and no signature", RUN_ETCD),
    reads("etcd-ca", "etcd/ca.crl.der", "etcd", "--client-crl-file, --peer-crl-file")
        .part(Part::Crl)
        .of(Releases::Etcd(6, NO_END))
        .itself(
            0,
            "it reads the CRL for every handshake, DER only: serial numbers only, no date and no signature",
            "run of etcd 3.6.8's listener, etcd#17106",
        ),
    reads("ca", "ca.crl", "HAProxy", "crl-file").part(Part::Crl).does(
        Action::Reload,
        "it reads its files when it starts or is reloaded",
        "run of HAProxy 2.6",
    ),
    reads("ca", "ca.crl", "nginx", "ssl_crl").part(Part::Crl).does(
        Action::Reload,
        "it reads its files when it starts or is reloaded",
        "run of nginx 1.22",
    ),
];

/// Who reads the files of an entry in a release, CRLs and what the kubelet rotates aside.
pub fn of(entry: &str, release: Release) -> impl Iterator<Item = &'static Reader> {
    let is_of = move |reader: &&Reader| reader.entry == entry && reader.releases.holds(release);
    READERS.iter().filter(is_of).filter(|reader| matches!(reader.part, Part::Content | Part::AuthorityData))
}

/// The CRLs that a program reads.
pub fn of_crl(program: &str) -> impl Iterator<Item = &'static Reader> {
    READERS.iter().filter(move |reader| reader.part == Part::Crl && reader.component == program)
}

/// Whether a component runs as a static pod, as kubeadm starts it, from `manifests/NAME.yaml`.
pub fn is_static_pod(component: &str) -> bool {
    component != KUBELET && COMPONENTS.contains(&component)
}

/// How a component is restarted on its node: static pods are restarted by the kubelet when their container was removed;
/// deleting the mirror pod with kubectl does nothing.
pub fn command(component: &str) -> Option<String> {
    match component {
        KUBELET => Some("systemctl restart kubelet".to_owned()),
        pod if is_static_pod(pod) => Some(format!("crictl stop $(crictl ps -q --name '^{pod}$')")),
        _ => None,
    }
}

/// The table for people: what is read, by whom, where it is set, for which releases, how it is taken up, and how that is known.
pub fn rows() -> impl Iterator<Item = [String; 6]> {
    READERS.iter().map(|reader| {
        let except = reader.except.map(|except| format!("; {except}")).unwrap_or_default();
        [
            reader.file.to_owned(),
            reader.component.to_owned(),
            reader.setting.to_owned(),
            reader.releases.to_string(),
            format!("{}{except}", reader.action),
            reader.source.to_owned(),
        ]
    })
}

#[cfg(test)]
#[path = "readers_tests.rs"]
mod tests;
