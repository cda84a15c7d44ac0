//! Whether the files on a node are that node's: its identity compared with the certificates, keys and kubeconfigs that
//! were found. Pure: bytes in, findings out; the messages are in `error/export.rs`. The dates of entries are checked by
//! check-expiration; those of intermediates are checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::blueprint::San;
use crate::ca::{CaError, PrivateKey};
use crate::catalog::paths::SIGNER_ENTRY;
use crate::catalog::{CaId, Entry, Files, Sans, Server, Subject};
use crate::encoding::{pem, raw_key};
use crate::files;
use crate::kubeconfig::{self, Credentials};
use crate::plan::decision::Unreadable;
use crate::x509::{Certificate, PathError, parse_pem_bundle, path, sha256};

/// The public data of a file: SHA-256 of each certificate's DER, and of the SubjectPublicKeyInfo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints {
    pub certificates: Vec<[u8; 32]>,
    pub public_key: Option<[u8; 32]>,
    /// Of sa.pub: every key in the order of the file; empty: not known.
    pub public_keys: Vec<[u8; 32]>,
    /// The API server of a kubeconfig.
    pub server: Option<String>,
}

impl Fingerprints {
    /// These are what a manifest says: those of 0.1.0 say nothing of further keys.
    pub fn are_those_of(&self, manifest: &Self) -> bool {
        let Self { public_keys, .. } = manifest;
        let known = if public_keys.is_empty() { public_keys } else { &self.public_keys };
        *manifest == Self { public_keys: known.clone(), ..self.clone() }
    }
}

/// The known identity of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub node: String,
    /// The name is the machine's host name, not a given one: `cp1` and `cp1.example.com` are the same.
    pub hostname: bool,
    /// The addresses of its API server and etcd; `None`: unknown.
    pub address: Option<IpAddr>,
}

/// The file at a place.
#[derive(Clone, PartialEq, Eq)]
pub enum NodeFile {
    Missing,
    /// It could not be read.
    Unreadable(files::Kind),
    File(Zeroizing<Vec<u8>>),
}

/// The content may be a key.
impl std::fmt::Debug for NodeFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::Unreadable(why) => write!(f, "Unreadable({why})"),
            Self::File(bytes) => write!(f, "File({} bytes)", bytes.len()),
        }
    }
}

/// One entry on the node.
#[derive(Debug, Clone)]
pub struct NodeEntry {
    /// kubeadm's name, or the profile's for an extra certificate.
    pub name: String,
    /// `None`: an extra certificate.
    pub entry: Option<&'static Entry>,
    pub path: String,
    pub public: NodeFile,
    /// Of a kubeconfig: the key file it points to, if it embeds none.
    pub private: NodeFile,
    /// Of a kubeconfig: the certificate file it points to, or what the kubelet uses in place of what is embedded.
    pub client: NodeFile,
    /// It must exist.
    pub required: bool,
    /// As it was exported.
    pub exported: Option<Fingerprints>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    Missing,
    Unreadable(files::Kind),
    /// It is no certificate, key or kubeconfig.
    Broken(Unreadable),
    /// The name of the node it was made for.
    OtherNode(String),
    WithoutName(String),
    WithoutAddress(IpAddr),
    KeyMissing,
    KeyBroken(CaError),
    KeyMismatch,
    /// The key of an authority, on a node that has none by its profile.
    KeyNotMeant,
    /// No valid path leads to the authority beside it.
    Path(CaId, PathError),
    /// Not the authority that was exported.
    OtherAuthority,
    /// A kubeconfig's certificate-authority-data is not this tree's ca.
    OtherAuthorityData,
    /// A component of the control plane talks to another API server than its node's own.
    OtherServer {
        found: String,
        wanted: String,
    },
    /// Not the service account key that was exported.
    OtherServiceAccount,
    /// sa.pub does not hold the keys that were exported, in their order.
    OtherPublicKeys,
    NotThePublicHalf,
    /// ca-signer.crt is not the first certificate of ca.crt alone.
    NotTheSigner,
    /// A kubeconfig's certificate-authority-data lacks certificates of this tree's ca.
    CutAuthorityData,
    /// There is a newer one.
    Older(Newer),
    /// It is no CRL.
    NoList(String),
    /// No authority beside it has signed it.
    ForeignList,
    /// It has the number of the exported one, and is not it.
    OtherList,
}

/// A certificate that is to take the place of the one on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newer {
    pub is_in: NewerIn,
    /// Its notBefore, where that is known.
    pub from: Option<OffsetDateTime>,
}

/// What has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewerIn {
    /// The archive or manifest that the node is compared with.
    Archive,
    /// The journal of the cluster directory.
    Journal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub name: String,
    pub path: String,
    pub findings: Vec<Finding>,
    /// It is the node's, but not the one that was exported: it was renewed since.
    pub renewed: bool,
}

/// Every existing entry, in the same order; optional missing entries are skipped.
pub fn judge(identity: &Identity, node_entries: &[NodeEntry], at: OffsetDateTime) -> Vec<Judged> {
    let mut authorities = BTreeMap::new();
    for holding in node_entries {
        if let (Some(authority), NodeFile::File(bytes)) = (holding.entry.and_then(Entry::authority), &holding.public) {
            authorities.insert(authority, parse_pem_bundle(bytes).unwrap_or_default());
        }
    }
    let judge = Judge { identity, authorities, at };
    node_entries
        .iter()
        .filter(|one| one.required || one.public != NodeFile::Missing)
        .map(|one| judge.one(one))
        .collect()
}

struct Judge<'a> {
    identity: &'a Identity,
    authorities: BTreeMap<CaId, Vec<Certificate>>,
    at: OffsetDateTime,
}

impl Judge<'_> {
    fn one(&self, holding: &NodeEntry) -> Judged {
        let mut judged =
            Judged { name: holding.name.clone(), path: holding.path.clone(), findings: Vec::new(), renewed: false };
        match &holding.public {
            NodeFile::Missing => judged.findings.push(Finding::Missing),
            NodeFile::Unreadable(why) => judged.findings.push(Finding::Unreadable(why.clone())),
            NodeFile::File(bytes) => match holding.entry.map(|entry| (entry, entry.files)) {
                Some((_, Files::KeyPair(_))) => service_account(holding, bytes, &mut judged),
                None if holding.name == SIGNER_ENTRY => judged.findings.extend(self.signer_file(bytes)),
                Some((entry, Files::Kubeconfig(_))) => self.kubeconfig(holding, entry, bytes, &mut judged),
                _ => self.pair(holding, bytes, &holding.private, &mut judged),
            },
        }
        judged
    }

    fn kubeconfig(&self, holding: &NodeEntry, entry: &Entry, bytes: &[u8], judged: &mut Judged) {
        let read = match kubeconfig::read(bytes) {
            Ok(read) => read,
            Err(why) => return judged.findings.push(Finding::Broken(why.into())),
        };
        let own = self.authorities.get(&CaId::Cluster).and_then(|bundle| bundle.first());
        let data = parse_pem_bundle(&read.authority).unwrap_or_default();
        // What was renewed with its key is another certificate of the same authority: that one is lacking.
        let is_it = |one: &Certificate| own.is_some_and(|own| one.is_same_authority(own));
        if own.is_some() && !read.authority.is_empty() && !data.first().is_some_and(is_it) {
            judged.findings.push(Finding::OtherAuthorityData);
        } else if !read.authority.is_empty() && self.lacks(&data) {
            judged.findings.push(Finding::CutAuthorityData);
        }
        let wanted = holding.exported.as_ref().and_then(|prints| prints.server.as_ref());
        if let Some(wanted) = wanted.filter(|wanted| entry.server == Server::Local && **wanted != read.server) {
            judged.findings.push(Finding::OtherServer { found: read.server.clone(), wanted: wanted.clone() });
        }
        match (read.credentials, &holding.client) {
            (Credentials::Embedded { certificate, key }, NodeFile::Missing) => {
                self.pair(holding, &certificate, &NodeFile::File(key), judged)
            }
            _ => match &holding.client {
                NodeFile::File(bytes) => self.pair(holding, bytes, &holding.private, judged),
                NodeFile::Missing => judged.findings.push(Finding::Missing),
                NodeFile::Unreadable(why) => judged.findings.push(Finding::Unreadable(why.clone())),
            },
        }
        // The identity of the kubelet decides, not the file's name.
        if entry.subject == Subject::Node {
            let user = read.user.strip_prefix("system:node:").filter(|user| !self.is_named(user));
            judged.findings.extend(user.map(|user| Finding::OtherNode(user.to_owned())));
            judged.findings.dedup();
        }
    }

    /// `kubeadm certs renew` cuts it to the first certificate.
    fn lacks(&self, data: &[Certificate]) -> bool {
        let own = self.authorities.get(&CaId::Cluster).into_iter().flatten();
        own.into_iter().any(|wanted| !data.iter().any(|found| found.der == wanted.der))
    }

    fn signer_file(&self, bytes: &[u8]) -> Option<Finding> {
        let own = self.authorities.get(&CaId::Cluster).and_then(|bundle| bundle.first())?;
        match parse_pem_bundle(bytes) {
            Err(why) => Some(Finding::Broken(why.into())),
            Ok(found) => (found.len() != 1 || found.first().map(|one| &one.der) != Some(&own.der))
                .then_some(Finding::NotTheSigner),
        }
    }

    fn pair(&self, holding: &NodeEntry, certificate: &[u8], key: &NodeFile, judged: &mut Judged) {
        let bundle = match parse_pem_bundle(certificate) {
            Ok(bundle) => bundle,
            Err(why) => return judged.findings.push(Finding::Broken(why.into())),
        };
        let Some((leaf, chain)) = bundle.split_first() else { return };
        let authority = holding.entry.and_then(Entry::authority);
        let findings = &mut judged.findings;
        match key {
            // An authority's key may be elsewhere.
            NodeFile::Missing if authority.is_some() => {}
            NodeFile::Missing => findings.push(Finding::KeyMissing),
            NodeFile::Unreadable(why) => findings.push(Finding::Unreadable(why.clone())),
            NodeFile::File(key) => match PrivateKey::from_pem(key) {
                Ok(key) if key.matches(leaf) => {}
                Ok(_) => findings.push(Finding::KeyMismatch),
                Err(why) => findings.push(Finding::KeyBroken(why)),
            },
        }
        let exported = holding.exported.as_ref().map(|prints| prints.certificates.as_slice()).unwrap_or_default();
        let same = exported.is_empty() || exported.contains(&leaf.fingerprint);
        if authority.is_some() {
            let key = holding.exported.as_ref().and_then(|prints| prints.public_key);
            let same_key = key.is_some_and(|key| key == sha256(&leaf.spki_der));
            match same {
                true => {}
                // With the same key: whether it is the newer of the two is for `node_age` to say.
                false if same_key => judged.renewed = true,
                false => findings.push(Finding::OtherAuthority),
            }
            return;
        }
        judged.renewed = !same;
        if let Some(entry) = holding.entry {
            if let Some(by_itself) = kubelets_own(entry, leaf) {
                judged.renewed = false;
                findings.extend(Some(by_itself).filter(|n| !self.is_named(n)).map(Finding::OtherNode));
                return;
            }
            findings.extend(self.names(entry, leaf));
            if let Some(signer) = entry.signer {
                findings.extend(self.signature(signer, leaf, chain));
            }
        }
    }

    /// The node of the certificate.
    fn names(&self, entry: &Entry, leaf: &Certificate) -> Vec<Finding> {
        let mut findings = Vec::new();
        let name = leaf.common_name().unwrap_or_default();
        let owner = match entry.subject {
            Subject::NodeName => Some(name.as_str()),
            Subject::Node => Some(name.strip_prefix("system:node:").unwrap_or(&name)),
            _ => None,
        };
        if let Some(owner) = owner.filter(|owner| !self.is_named(owner)) {
            return vec![Finding::OtherNode(owner.to_owned())];
        }
        if matches!(entry.sans, Sans::None | Sans::Authority) {
            return findings;
        }
        if !leaf.sans.iter().any(|san| matches!(san, San::Dns(name) if self.is_named(name))) {
            findings.push(Finding::WithoutName(self.identity.node.clone()));
        }
        if let Some(address) = self.identity.address.filter(|address| !leaf.sans.contains(&San::Ip(*address))) {
            findings.push(Finding::WithoutAddress(address));
        }
        findings
    }

    /// Signed by an authority of the tree's bundle, directly or through the intermediates in the leaf's own file.
    fn signature(&self, signer: CaId, leaf: &Certificate, chain: &[Certificate]) -> Option<Finding> {
        let bundle = self.authorities.get(&signer).filter(|bundle| !bundle.is_empty())?;
        path::judge(leaf, chain, bundle, self.at).err().map(|why| Finding::Path(signer, why))
    }

    fn is_named(&self, found: &str) -> bool {
        names_one(&self.identity.node, found, self.identity.hostname)
    }
}

/// Host name and node name may differ in the domain.
pub fn names_one(node: &str, found: &str, hostname: bool) -> bool {
    let begins = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.')) && !short.contains('.')
    };
    node == found || hostname && (begins(node, found) || begins(found, node))
}

/// The node of a serving certificate that the kubelet signed itself: `NODE@SECONDS` (client-go util/cert).
pub fn kubelets_own(entry: &Entry, leaf: &Certificate) -> Option<String> {
    let name = leaf.common_name()?;
    let (node, made) = name.split_once('@')?;
    let own = matches!(entry.files, Files::KubeletPair(_)) && made.bytes().all(|byte| byte.is_ascii_digit());
    own.then(|| node.to_owned())
}

fn service_account(holding: &NodeEntry, public: &[u8], judged: &mut Judged) {
    let findings = &mut judged.findings;
    let key = match &holding.private {
        NodeFile::Missing => return findings.push(Finding::KeyMissing),
        NodeFile::Unreadable(why) => return findings.push(Finding::Unreadable(why.clone())),
        NodeFile::File(bytes) => match PrivateKey::from_pem(bytes) {
            Ok(key) => key,
            Err(why) => return findings.push(Finding::KeyBroken(why)),
        },
    };
    if !pem::contains(public, &key.public_pem()) {
        findings.push(Finding::NotThePublicHalf);
    }
    let exported = holding.exported.as_ref().and_then(|prints| prints.public_key);
    if exported.is_some_and(|exported| exported != sha256(&key.spki_der())) {
        findings.push(Finding::OtherServiceAccount);
    } else if let Some(exported) = &holding.exported
        && !exported.public_keys.is_empty()
        && exported.public_keys != prints(holding.entry, public).public_keys
    {
        findings.push(Finding::OtherPublicKeys);
    }
}

/// The certificates of an entry's public file, or those that a kubeconfig embeds; none where there are none.
pub fn certificates(entry: Option<&Entry>, public: &[u8]) -> Vec<Certificate> {
    match entry.map(|entry| entry.files) {
        Some(Files::KeyPair(_)) => Vec::new(),
        Some(Files::Kubeconfig(_)) => match kubeconfig::read(public).map(|read| read.credentials) {
            Ok(Credentials::Embedded { certificate, .. }) => parse_pem_bundle(&certificate).unwrap_or_default(),
            _ => Vec::new(),
        },
        _ => parse_pem_bundle(public).unwrap_or_default(),
    }
}

/// The public side of a file, for a manifest.
pub fn prints(entry: Option<&Entry>, public: &[u8]) -> Fingerprints {
    let bundle = certificates(entry, public);
    let own = bundle.first().map(|leaf| sha256(&leaf.spki_der));
    let bare = || {
        let blocks = pem::read(public).unwrap_or_default();
        blocks.iter().find(|block| block.label.is("PUBLIC KEY")).map(|block| sha256(&block.contents))
    };
    Fingerprints {
        certificates: bundle.iter().map(|certificate| certificate.fingerprint).collect(),
        public_key: own.or_else(bare),
        public_keys: public_keys(entry, public).iter().map(|spki| sha256(spki)).collect(),
        server: match entry.map(|entry| entry.files) {
            Some(Files::Kubeconfig(_)) => kubeconfig::read(public).ok().map(|read| read.server),
            _ => None,
        },
    }
}

/// The keys in a file of public keys alone, as SubjectPublicKeyInfo; none of any other.
pub fn public_keys(entry: Option<&Entry>, public: &[u8]) -> Vec<Vec<u8>> {
    match entry.map(|entry| entry.files) {
        Some(Files::KeyPair(_)) => raw_key::public_keys(&pem::read(public).unwrap_or_default()),
        _ => Vec::new(),
    }
}

/// The other nodes whose certificates were found, each once.
pub fn owners(judged: &[Judged]) -> BTreeSet<&str> {
    let findings = judged.iter().flat_map(|one| &one.findings);
    findings
        .filter_map(|finding| if let Finding::OtherNode(name) = finding { Some(name.as_str()) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::names_one;

    #[test]
    fn a_machine_may_be_called_longer_or_shorter_than_its_node() {
        for (node, found, hostname, same) in [
            ("cp1", "cp1", false, true),
            ("cp1", "cp1.example.com", false, false),
            ("cp1", "cp1.example.com", true, true),
            ("cp1.example.com", "cp1", true, true),
            ("cp1", "cp10", true, false),
            ("cp1.a", "cp1.b", true, false),
            ("cp1.a", "cp1.a.b", true, false),
            ("cp1", "", true, false),
        ] {
            assert_eq!(names_one(node, found, hostname), same, "{node} {found} {hostname}");
        }
    }
}
