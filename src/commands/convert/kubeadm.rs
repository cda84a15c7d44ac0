//! `--as kubeadm-certs`: what `kubeadm init --upload-certs` leaves in the cluster for a joining control-plane node, so
//! that `kubeadm join --control-plane --certificate-key KEY` finds it.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::encoding::yaml::{self, field, text};
use crate::encoding::{base64, pem};
use crate::encrypted::kubeadm::{KEY_LENGTH, open, seal};
use crate::error::Error;
use crate::files::{self, Dir, FileState, RelPath};
use crate::profile::GATHERED;
use crate::random::random;
use crate::report::convert::Convert;
use crate::workspace::rotation::{phases, remarks};
use crate::workspace::{TreeDir, profiles};

use super::manifest::{self, Owner, Secret};
use super::request::{Input, Output, Request};

/// Below `pki`; in the Secret `/` is written `-`. kubeadm wants every one of them there; what a node does not have (the
/// key of an external authority) is empty and is not saved on the other side.
const FILES: &[&str] =
    &["ca.crt", "ca.key", "etcd/ca.crt", "etcd/ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub"];
const LARGEST: u64 = 1 << 20;
const NAMESPACE: &str = "kube-system";
const NAME: &str = "kubeadm-certs";

/// kubeadm deletes its own after two hours, with the bootstrap token it makes for it.
const UNBOUND: [&str; 3] = [
    "the Secret kubeadm-certs holds the keys of the cluster's authorities and stays until it is deleted, when the nodes \
     have joined: kubectl -n kube-system delete secret kubeadm-certs",
    "to have it deleted with a bootstrap token, as kubeadm's is, make one, whose ID is what stands before the dot: \
     kubeadm token create --ttl 2h",
    "and give --owner-token ID UID, the latter from: kubectl -n kube-system get secret bootstrap-token-ID -o \
     jsonpath={.metadata.uid}",
];

/// The right to read the Secret for nodes that join with a bootstrap token, as kubeadm gives it.
const ACCESS: &str = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kubeadm:kubeadm-certs
  namespace: kube-system
rules:
- apiGroups:
  - \"\"
  resourceNames:
  - kubeadm-certs
  resources:
  - secrets
  verbs:
  - get
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kubeadm:kubeadm-certs
  namespace: kube-system
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: kubeadm:kubeadm-certs
subjects:
- kind: Group
  name: system:bootstrappers:kubeadm:default-node-token
";

/// The certificates of a tree whose recorded profile has them elsewhere than in its `pki`.
fn elsewhere(path: &Path) -> Option<PathBuf> {
    let recorded = profiles::recorded(path).ok().flatten()?;
    let pki = TreeDir::recorded(path, Some(&recorded), None).ok()?.pki();
    (pki != GATHERED).then(|| path.join(pki))
}

/// A new certificate key, in hexadecimal.
pub fn certificate_key() -> Result<Zeroizing<String>, Error> {
    let key = Zeroizing::new(random::<KEY_LENGTH>()?);
    Ok(Zeroizing::new(key.iter().map(|octet| format!("{octet:02x}")).collect()))
}

/// The manifest, and the certificate key where one had to be made.
pub fn manifest(request: &Request, report: &mut Convert) -> Result<(Output, Option<Zeroizing<String>>), Error> {
    let [Input::Path(path)] = request.inputs.as_slice() else {
        return Err(Error::usage("expected one directory, the tree of a control-plane node")
            .hint("give one, such as /etc/kubernetes"));
    };
    let root = Dir::open_root(path)?;
    report.notes.extend(remarks::old_keys(&phases::of_directory(path)?));
    let pki = match elsewhere(path) {
        Some(pki) => Dir::open_root(&pki)?,
        None => root.child("pki")?.unwrap_or(root),
    };
    let (key, made) = match &request.certificate_key {
        Some(text) => (parse(text)?, None),
        None => {
            let text = certificate_key()?;
            (parse(&text)?, Some(text))
        }
    };
    let mut plain = Vec::new();
    for file in FILES {
        match files::read(&pki, &RelPath::parse(*file)?, LARGEST)? {
            FileState::File { bytes, .. } if !file.ends_with(".key") && pem::holds_private_key(&bytes) => {
                return Err(Error::new(format!("{}: a private key is in {file}", pki.path().display()))
                    .because("the joining node writes this file readable for everybody")
                    .hint("leave only the certificate in it"));
            }
            FileState::File { bytes, .. } => plain.push((file.replace('/', "-"), bytes)),
            FileState::Missing if *file == "ca.crt" || *file == "sa.key" => {
                return Err(Error::new(format!(
                    "{}: expected a control-plane node's {file}, found none",
                    pki.path().display()
                ))
                .hint("give the directory /etc/kubernetes of the first control-plane node, or a tree kpki made"));
            }
            FileState::Missing => {
                report.notes.push(format!("{file} is missing: the joining node must get it another way"));
                plain.push((file.replace('/', "-"), Zeroizing::default()));
            }
        }
    }
    let failed = |why| Error::new("cannot encrypt the files").because(why);
    let sealed = plain
        .iter()
        .map(|(name, bytes)| match bytes.is_empty() {
            true => Ok((name.as_str(), Vec::new())),
            false => Ok((name.as_str(), seal(bytes, &key, random()?).map_err(failed)?)),
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let data: Vec<(&str, &[u8])> = sealed.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let owner = request.owner_token.as_ref().map(Owner::of).transpose()?;
    let (namespace, owned) = (Some(NAMESPACE), owner.as_ref());
    let immutable = request.immutable;
    let secret = Secret { name: NAME, namespace, kind: "Opaque", data: &data, owner: owned, immutable };
    let mut text = manifest::secret(&secret)?.to_string();
    text.push_str(ACCESS);
    opens(&text, &plain, &key)?;
    let bound = match &owner {
        Some(owner) => format!(", deleted with {}", owner.name),
        None => {
            report.notes.extend(UNBOUND.map(str::to_owned));
            String::new()
        }
    };
    let holds = format!("Secret {NAME}{bound}: {}", manifest::fields(&data));
    let from = path.display().to_string();
    let output =
        Output { path: String::new(), bytes: text.into_bytes().into(), secret: true, binary: false, holds, from };
    Ok((output, made))
}

/// 64 hexadecimal digits.
fn parse(text: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Error> {
    let wrong = || {
        Error::usage("expected 64 hexadecimal digits as the certificate key").hint(
            "make one with: kubeadm certs certificate-key, or leave --certificate-key-file out and kpki makes one",
        )
    };
    let text = text.trim();
    if text.len() != 2 * KEY_LENGTH || !text.is_ascii() {
        return Err(wrong());
    }
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    for (octet, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok().filter(|pair| pair.chars().all(|c| c.is_ascii_hexdigit()));
        *octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(wrong)?;
    }
    Ok(key)
}

/// As a joining node will read it.
fn opens(manifest: &str, plain: &[(String, Zeroizing<Vec<u8>>)], key: &[u8; KEY_LENGTH]) -> Result<(), Error> {
    let stream = yaml::read(manifest.as_bytes());
    let data = stream.documents.first().and_then(|secret| field(secret, "data"));
    let fits = |(name, bytes): &(String, Zeroizing<Vec<u8>>)| {
        let Some(Ok(sealed)) = data.and_then(|data| text(data, name)).map(|text| base64::decode(text.as_bytes()))
        else {
            return false;
        };
        if bytes.is_empty() { sealed.is_empty() } else { open(&sealed, key).is_ok_and(|found| found == *bytes) }
    };
    if stream.faults.is_empty() && plain.iter().all(fits) {
        Ok(())
    } else {
        Err(Error::new("the manifest does not open with its key; nothing was written"))
    }
}
