//! kubeconfigs and Secrets: their names, and the certificates in them.

use super::describe;
use super::findings::Findings;
use crate::encoding::base64;
use crate::encoding::shown::named;
use crate::inventory::{Unreadable, secrets};
use crate::kubeconfig::{self, KubeconfigError, Source};

/// Whether the text was a kubeconfig or held Secrets.
pub fn read(bytes: &[u8], found: &mut Findings<'_>) -> bool {
    // A PEM file is not YAML, and a long one would be refused for its length.
    if bytes.starts_with(b"-----BEGIN ") {
        return false;
    }
    match kubeconfig::survey(bytes) {
        Ok(survey) => {
            found.add::<String>(Ok(describe::kubeconfig(&survey)), None);
            for cluster in &survey.clusters {
                source(cluster.authority.as_ref(), &format!("cluster {}", named(&cluster.name)), found);
            }
            for user in &survey.users {
                source(user.certificate.as_ref(), &format!("user {}", named(&user.name)), found);
            }
            if let Some(why) = &survey.unresolved {
                found.problem(why);
            }
            true
        }
        Err(KubeconfigError::NotAKubeconfig | KubeconfigError::NotYaml { .. } | KubeconfigError::Unusual { .. }) => {
            secret(bytes, found)
        }
        Err(_) => false,
    }
}

fn source(source: Option<&Source<'_>>, owner: &str, found: &mut Findings<'_>) {
    match source {
        Some(Source::Data(data)) => match base64::decode(data.as_bytes()) {
            Ok(text) => found.pem(&text, Some(owner)),
            Err(why) => found.add::<base64::Base64Error>(Err(why), Some(owner)),
        },
        // The path is shown with the kubeconfig; the file is to be inspected by itself.
        Some(Source::File(_)) | None => {}
    }
}

fn secret(bytes: &[u8], found: &mut Findings<'_>) -> bool {
    let secrets = secrets(bytes);
    for part in &secrets {
        let owner = format!("Secret {} ({})", part.name, part.field);
        match &part.pem {
            Ok(pem) => found.pem(pem, Some(&owner)),
            Err(why) => found.add(Err::<_, &Unreadable>(why), Some(&owner)),
        }
    }
    !secrets.is_empty()
}
