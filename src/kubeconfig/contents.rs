//! Everything a kubeconfig names, not only what its current context does.

use std::borrow::Cow;

use super::error::KubeconfigError;
use crate::encoding::key_public::Half;

/// What is in a kubeconfig, the current context's cluster and user first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey<'a> {
    pub clusters: Vec<Cluster<'a>>,
    pub users: Vec<User<'a>>,
    pub contexts: Vec<Context<'a>>,
    pub current: Option<Cow<'a, str>>,
    /// Why the current context leads to no cluster or no user; the lists are then in the order of the file.
    pub unresolved: Option<KubeconfigError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster<'a> {
    pub name: Cow<'a, str>,
    pub server: Cow<'a, str>,
    /// Which name the server has to have, where it is not its host's.
    pub server_name: Option<Cow<'a, str>>,
    /// The server is not verified.
    pub is_insecure: bool,
    pub authority: Option<Source<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User<'a> {
    pub name: Cow<'a, str>,
    pub certificate: Option<Source<'a>>,
    pub key: Option<Key<'a>>,
    /// The fields it authenticates by, as they are called: `client-key-data`, `token`, `exec`.
    pub credentials: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context<'a> {
    pub name: Cow<'a, str>,
    pub cluster: Cow<'a, str>,
    pub user: Cow<'a, str>,
}

/// Where a client's key comes from. Of an embedded one nothing is kept but the public half that it states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key<'a> {
    Data(Result<Option<Half>, KubeconfigError>),
    /// A path, relative to the kubeconfig's directory.
    File(Cow<'a, str>),
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'a> {
    /// Base64 of PEM, not decoded.
    Data(Cow<'a, str>),
    /// A path, relative to the kubeconfig's directory.
    File(Cow<'a, str>),
}
