//! The request of a conversion, and one output file.

use std::path::PathBuf;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::catalog::releases::Release;

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Pem,
    Der,
    Pkcs1,
    Sec1,
    Pkcs8,
    EncryptedPkcs8,
    Spki,
    Parts,
    Pkcs12,
    Pkcs7,
    Kubeconfig,
    Haproxy,
    FullChain,
    KubernetesSecret,
    IstioCacerts,
    KubeadmCerts,
    ClusterTrustBundle,
    KubeRootCa,
    ClusterInfo,
}

impl Form {
    /// Each file can become one of its own; the others make one of all.
    pub const fn is_by_file(self) -> bool {
        matches!(
            self,
            Self::Pem
                | Self::Der
                | Self::Pkcs1
                | Self::Sec1
                | Self::Pkcs8
                | Self::EncryptedPkcs8
                | Self::Spki
                | Self::Parts
        )
    }
}

/// Where something comes from.
#[derive(Debug, Clone)]
pub enum Input {
    Path(PathBuf),
    /// Standard input, already read.
    Bytes(Zeroizing<Vec<u8>>),
}

/// The target form and its inputs.
#[derive(Debug)]
pub struct Request {
    pub inputs: Vec<Input>,
    pub form: Form,
    /// `None`: standard output.
    pub out: Option<PathBuf>,
    /// DER where the form could be PEM.
    pub der: bool,
    /// PKCS#12 for old readers.
    pub legacy: bool,
    /// The root belongs to the bundle.
    pub with_root: bool,
    /// Files that exist may be replaced.
    pub force: bool,
    /// Of a Secret or ClusterTrustBundle, or the friendly name in PKCS#12.
    pub name: Option<String>,
    pub namespace: Option<String>,
    /// Of a ClusterTrustBundle.
    pub signer_name: Option<String>,
    /// Of the cluster an object is for; `None`: the newest known.
    pub release: Option<Release>,
    /// Of a Secret.
    pub immutable: bool,
    pub server: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    /// 64 hexadecimal digits, as `kubeadm certs certificate-key` prints them.
    pub certificate_key: Option<Zeroizing<String>>,
    /// A bootstrap token's ID and the UID of its Secret, which the Secret is deleted with.
    pub owner_token: Option<(String, String)>,
    pub now: OffsetDateTime,
}

/// One output file.
pub struct Output {
    /// Below the directory; empty where one file is made.
    pub path: String,
    pub bytes: Zeroizing<Vec<u8>>,
    /// It holds a private key: 0600.
    pub secret: bool,
    pub binary: bool,
    /// In words.
    pub holds: String,
    pub from: String,
}

/// The content may be a key.
impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Output({}, {} bytes)", self.path, self.bytes.len())
    }
}
