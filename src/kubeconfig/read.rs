//! The credentials of a kubeconfig's current context.

use std::fmt;

use zeroize::Zeroizing;

use super::document::{AUTHORITY, CERTIFICATE, KEY, current, data, root, stream};
use super::error::KubeconfigError;
use crate::encoding::yaml::text;

/// What a kubeconfig holds for its current context.
#[derive(Debug)]
pub struct Read {
    pub cluster: String,
    pub user: String,
    pub server: String,
    /// PEM; empty when the file only names a CA file.
    pub authority: Vec<u8>,
    pub credentials: Credentials,
}

/// The client's certificate and key.
pub enum Credentials {
    /// PEM, embedded.
    Embedded { certificate: Vec<u8>, key: Zeroizing<Vec<u8>> },
    /// In files of their own: the kubelet's habit after its first rotation.
    Files { certificate: String, key: String },
}

/// The key stays out of logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { .. } => f.write_str("Embedded"),
            Self::Files { certificate, .. } => write!(f, "Files({certificate})"),
        }
    }
}

/// Reads the credentials of the current context, as kubeadm and kubectl resolve them.
pub fn read(bytes: &[u8]) -> Result<Read, KubeconfigError> {
    let stream = stream(bytes)?;
    let current = current(root(&stream)?)?;
    let user = current.user;
    let embedded = (data(user, CERTIFICATE)?, data(user, KEY)?);
    let credentials = match (embedded, text(user, "client-certificate"), text(user, "client-key")) {
        // Data wins over a file, as in client-go.
        ((Some(certificate), Some(key)), _, _) => Credentials::Embedded { certificate: certificate.to_vec(), key },
        ((None, None), Some(certificate), Some(key)) => {
            Credentials::Files { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        _ => return Err(KubeconfigError::NoCredentials),
    };
    Ok(Read {
        cluster: current.cluster_name.to_owned(),
        user: current.user_name.to_owned(),
        server: text(current.cluster, "server").unwrap_or_default().to_owned(),
        authority: data(current.cluster, AUTHORITY)?.map(|data| data.to_vec()).unwrap_or_default(),
        credentials,
    })
}

/// Whether a kubeconfig can name its credential's files. Where its text has no such key, reading it can be spared; one
/// written with escapes or in base64 is announced by `\` or `!`.
pub fn may_name_files(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return true };
    let mut keys = text.match_indices("client-certificate").map(|(at, key)| text.get(at + key.len()..));
    keys.any(|rest| !rest.is_some_and(|rest| rest.starts_with("-data"))) || text.contains(['\\', '!'])
}

/// A kubeconfig whose key waits for its certificate, as kubeadm's `generate-csr` leaves it.
pub struct Pending {
    pub cluster: String,
    pub user: String,
    pub server: String,
    /// PEM.
    pub key: Zeroizing<Vec<u8>>,
}

/// The key stays out of logs.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({}@{})", self.user, self.cluster)
    }
}

/// Reads the key of the current context and what it is for, whether a certificate goes with it or not.
pub fn pending(bytes: &[u8]) -> Result<Pending, KubeconfigError> {
    let stream = stream(bytes)?;
    let current = current(root(&stream)?)?;
    Ok(Pending {
        cluster: current.cluster_name.to_owned(),
        user: current.user_name.to_owned(),
        server: text(current.cluster, "server").unwrap_or_default().to_owned(),
        key: data(current.user, KEY)?.ok_or(KubeconfigError::NoCredentials)?,
    })
}

#[cfg(test)]
mod tests {
    use super::may_name_files;

    #[test]
    fn a_text_that_names_no_file_need_not_be_read() {
        for (text, expected) in [
            ("client-certificate-data: QQ==\nclient-key-data: QQ==", false),
            ("token: x", false),
            ("client-certificate: a.crt", true),
            ("\"client-certificate\": a.crt", true),
            ("{client-certificate-data: QQ==, client-certificate : a.crt}", true),
            ("\"client\\x2dcertificate\": a.crt", true),
            ("!!binary Y2xpZW50LWNlcnRpZmljYXRl: a.crt", true),
            ("client-certificate", true),
        ] {
            assert_eq!(may_name_files(text.as_bytes()), expected, "{text}");
        }
        assert!(may_name_files(b"\xff"), "no text");
    }
}
