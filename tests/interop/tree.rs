//! The oracle of the faults: quick, in this process, and not by kpki's code.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::support::{decode_base64, files};

/// (certificate and key without ending, certificate of its signer without ending)
const PAIRS: [(&str, &str); 10] = [
    ("pki/ca", "pki/ca"),
    ("pki/apiserver", "pki/ca"),
    ("pki/apiserver-kubelet-client", "pki/ca"),
    ("pki/front-proxy-ca", "pki/front-proxy-ca"),
    ("pki/front-proxy-client", "pki/front-proxy-ca"),
    ("pki/etcd/ca", "pki/etcd/ca"),
    ("pki/etcd/server", "pki/etcd/ca"),
    ("pki/etcd/peer", "pki/etcd/ca"),
    ("pki/etcd/healthcheck-client", "pki/etcd/ca"),
    ("pki/apiserver-etcd-client", "pki/etcd/ca"),
];
const KUBECONFIGS: [&str; 5] =
    ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"];

/// Whether a one-node P-256 tree is there as a whole: every file, every pair matching, every signature good, every mode.
pub fn whole(dir: &Path, kubelet: &Path) -> Result<(), String> {
    for (stem, signer) in PAIRS {
        let place = |stem: &str, end: &str| dir.join(format!("{stem}.{end}"));
        pair(&place(stem, "crt"), &place(stem, "key"), &place(signer, "crt"))?;
    }
    pair(&kubelet.join("kubelet.crt"), &kubelet.join("kubelet.key"), &dir.join("pki/ca.crt"))?;
    let sa = point(&pem(&dir.join("pki/sa.key"), 0o600)?)?;
    if !contains(&pem(&dir.join("pki/sa.pub"), 0o600)?, &sa) {
        return Err("sa.pub is not of sa.key".to_owned());
    }
    let ca = pem(&dir.join("pki/ca.crt"), 0o644)?;
    for name in KUBECONFIGS {
        kubeconfig(&dir.join(name), &ca).map_err(|why| format!("{name}: {why}"))?;
    }
    for state in [".kpki/profile.yaml", ".kpki/state.json"] {
        read(&dir.join(state), 0o600)?;
    }
    Ok(())
}

fn pair(certificate: &Path, key: &Path, signer: &Path) -> Result<(), String> {
    let der = pem(certificate, 0o644)?;
    let at = |why: String| format!("{}: {why}", certificate.display());
    if !contains(&der, &point(&pem(key, 0o600)?)?) {
        return Err(at("its key is another's".to_owned()));
    }
    signed(&der, &pem(signer, 0o644)?).map_err(at)
}

fn signed(der: &[u8], signer: &[u8]) -> Result<(), String> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|why| why.to_string())?;
    let (_, signer) = X509Certificate::from_der(signer).map_err(|why| why.to_string())?;
    if !rest.is_empty() {
        return Err("something follows the certificate".to_owned());
    }
    let key = &signer.public_key().subject_public_key.data;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
    key.verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data)
        .map_err(|_| "not signed by its authority".to_owned())
}

fn kubeconfig(path: &Path, ca: &[u8]) -> Result<(), String> {
    let text = String::from_utf8(read(path, 0o600)?).map_err(|why| why.to_string())?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(name));
        let data = line.ok_or_else(|| format!("no {name}"))?.trim_start_matches(':').trim();
        let block = ::pem::parse(decode_base64(data)).map_err(|why| format!("{name}: {why}"))?;
        Ok::<_, String>(block.into_contents())
    };
    if field("certificate-authority-data")? != ca {
        return Err("its authority is not ca.crt".to_owned());
    }
    let certificate = field("client-certificate-data")?;
    if !contains(&certificate, &point(&field("client-key-data")?)?) {
        return Err("its key is another's".to_owned());
    }
    signed(&certificate, ca)
}

fn read(path: &Path, mode: u32) -> Result<Vec<u8>, String> {
    let at = |why: String| format!("{}: {why}", path.display());
    let facts = fs::symlink_metadata(path).map_err(|why| at(why.to_string()))?;
    if !facts.is_file() || facts.permissions().mode() & 0o7777 != mode {
        return Err(at(format!("mode {:o}, not {mode:o}", facts.permissions().mode())));
    }
    fs::read(path).map_err(|why| at(why.to_string()))
}

pub fn pem(path: &Path, mode: u32) -> Result<Vec<u8>, String> {
    let block = ::pem::parse(read(path, mode)?).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(block.into_contents())
}

/// The public point, with which an EC private key ends (RFC 5915).
pub fn point(key: &[u8]) -> Result<Vec<u8>, String> {
    let at = key.len().checked_sub(65).ok_or("no P-256 key")?;
    (key[at] == 4).then(|| key[at..].to_vec()).ok_or_else(|| "no P-256 key with its public point".to_owned())
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Keys that somebody else could read, anywhere below.
pub fn open_keys(dir: &Path) -> Vec<PathBuf> {
    let holds_key = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        contains(&bytes, b"PRIVATE KEY-----") || contains(&bytes, b"client-key-data")
    };
    let open =
        |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file() && facts.mode() & 0o077 != 0);
    files(dir).into_iter().filter(|path| open(path) && holds_key(path)).collect()
}

/// What lies below a directory: name to kind, mode, owner and content. The lock file may come and stay.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| !entry.path().ends_with(".kpki/lock"))
        .filter_map(|entry| {
            let facts = entry.metadata().ok()?;
            let content = if facts.is_file() { fs::read(entry.path()).ok()? } else { Vec::new() };
            Some((
                entry.path().strip_prefix(dir).ok()?.to_path_buf(),
                (facts.mode(), facts.uid(), facts.gid(), content),
            ))
        })
        .collect()
}

/// What kpki prepares and a finished run leaves nothing of.
pub fn rests(dir: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.starts_with('.') && name.contains(".kpki-"))
                || name.starts_with(".kpki-staging")
                || path.ends_with(".kpki/staging")
                || path.ends_with(".kpki/commit")
        })
        .collect()
}

/// Staging directories beside a tree that others could enter.
pub fn open_staging(dir: &Path) -> Vec<PathBuf> {
    rests(dir)
        .into_iter()
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir() && facts.mode() & 0o7777 != 0o700))
        .collect()
}
