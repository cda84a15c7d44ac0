//! kubeconfig files: kubeadm's shape when written, and the credentials inside when read.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::encoding::{pem, yaml};

/// What a kubeconfig with embedded credentials says.
#[derive(Debug)]
pub struct Kubeconfig<'a> {
    pub cluster: &'a str,
    pub user: &'a str,
    pub server: &'a str,
    /// PEM.
    pub authority: &'a str,
    pub certificate: &'a str,
    pub key: &'a str,
    /// Print `preferences: {}`, as kubeadm did up to 1.33.
    pub preferences: bool,
}

/// kubeadm's serialisation: keys in alphabetical order, context `USER@CLUSTER`, embedded base64.
pub fn render(config: &Kubeconfig<'_>) -> Zeroizing<String> {
    let cluster = yaml::scalar(config.cluster);
    let user = yaml::scalar(config.user);
    let context = yaml::scalar(&format!("{}@{}", config.user, config.cluster));
    let key = Zeroizing::new(pem::base64(config.key.as_bytes()));
    // Reserved at once: growing would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(key.len() + 2 * config.authority.len() + 4096));
    let _ = write!(
        text,
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {}\n    server: {}\n  name: {cluster}\n",
        pem::base64(config.authority.as_bytes()),
        yaml::scalar(config.server),
    );
    let _ = write!(
        text,
        "contexts:\n- context:\n    cluster: {cluster}\n    user: {user}\n  name: {context}\ncurrent-context: {context}\nkind: Config\n{}",
        if config.preferences { "preferences: {}\n" } else { "" },
    );
    let _ = write!(
        text,
        "users:\n- name: {user}\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n",
        pem::base64(config.certificate.as_bytes()),
        key.as_str(),
    );
    text
}
