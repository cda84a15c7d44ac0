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
