//! The options that every verb has: which server, and how to come by a token.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::address::Address;
use crate::api_path::segments;
use crate::environment::{self, Environment};
use crate::error::Error;
use crate::login::{Credential, Way};
use crate::server::Server;

#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Address of the server; default: BAO_ADDR or VAULT_ADDR. http only to this machine
    #[arg(long, value_name = "URL")]
    address: Option<String>,

    /// Certificates that the server's certificate is verified by; default: BAO_CACERT or VAULT_CACERT, else those the system
    /// trusts
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Namespace; default: BAO_NAMESPACE or VAULT_NAMESPACE
    #[arg(long, value_name = "PATH")]
    namespace: Option<String>,

    /// How long all of it may take, login included, in seconds; less than kpki's own limit (30 s for a signer or a key, 60 s for an
    /// issuer)
    #[arg(long, value_name = "SECONDS", default_value = "25", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Allow http to another machine: whoever listens on the way gets the token
    #[arg(long)]
    allow_http: bool,

    #[command(flatten)]
    login: LoginArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Token (default: BAO_TOKEN or VAULT_TOKEN)")]
struct LoginArgs {
    /// File with the token; others may not read it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["approle_role_id_file", "kubernetes_role"])]
    token_file: Option<PathBuf>,

    /// Log in by AppRole: file with the role id
    #[arg(long, value_name = "FILE", conflicts_with = "kubernetes_role")]
    approle_role_id_file: Option<PathBuf>,

    /// File with the secret id, where the role needs one
    #[arg(long, value_name = "FILE", requires = "approle_role_id_file")]
    approle_secret_id_file: Option<PathBuf>,

    /// Where AppRole is mounted, below auth/
    #[arg(long, value_name = "PATH", default_value = "approle")]
    approle_mount: String,

    /// Log in as a pod of Kubernetes: the role
    #[arg(long, value_name = "ROLE")]
    kubernetes_role: Option<String>,

    /// The service account's token
    #[arg(long, value_name = "FILE", default_value = "/var/run/secrets/kubernetes.io/serviceaccount/token")]
    kubernetes_token_file: PathBuf,

    /// Where the login of Kubernetes is mounted, below auth/
    #[arg(long, value_name = "PATH", default_value = "kubernetes")]
    kubernetes_mount: String,
}

impl ServerArgs {
    /// Nothing is asked yet.
    pub fn open(&self, environment: &Environment) -> Result<(Server, Credential), Error> {
        let address = self.address.clone().or_else(|| environment.setting(environment::ADDRESS));
        let address = address.ok_or_else(|| {
            Error::usage("no server: neither --address nor BAO_ADDR nor VAULT_ADDR is set")
                .hint("name it as in --address https://vault.example.com:8200")
        })?;
        let address = Address::parse(&address, self.allow_http)?;
        let ca_file = self.ca_file.clone().or_else(|| environment.setting(environment::CA_FILE).map(PathBuf::from));
        let namespace = self.namespace.clone().or_else(|| environment.setting(environment::NAMESPACE));
        let credential = self.login.way()?.credential(environment)?;
        let server = Server::new(address, ca_file, namespace.as_deref(), Duration::from_secs(self.timeout))?;
        Ok((server, credential))
    }
}

impl LoginArgs {
    fn way(&self) -> Result<Way, Error> {
        Ok(match (&self.token_file, &self.approle_role_id_file, &self.kubernetes_role) {
            (Some(path), ..) => Way::File(path.clone()),
            (None, Some(role_id), _) => Way::AppRole {
                mount: segments("--approle-mount", &self.approle_mount)?,
                role_id: role_id.clone(),
                secret_id: self.approle_secret_id_file.clone(),
            },
            (None, None, Some(role)) => Way::Kubernetes {
                mount: segments("--kubernetes-mount", &self.kubernetes_mount)?,
                role: role.clone(),
                token: self.kubernetes_token_file.clone(),
            },
            (None, None, None) => Way::Environment,
        })
    }
}
