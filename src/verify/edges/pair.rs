//! One client and one server with their files, before anybody is asked.

use super::held::{self, Bundle, Held, Leaf};
use crate::blueprint::San;
use crate::tree::EntryId;
use crate::verify::cluster::{Content, Key, Part, Tree};

/// One client and one server.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    pub number: u8,
    pub client: EntryId,
    pub server: EntryId,
    pub names: Vec<San>,
    /// The server's certificate, and whom the client trusts.
    pub by_client: Held<(Leaf<'a>, Bundle<'a>)>,
    pub by_server: Held<Shown<'a>>,
}

/// What a client shows, and what it is judged by.
#[derive(Debug, Clone)]
pub enum Shown<'a> {
    Certificate(Leaf<'a>, Bundle<'a>),
    Token(Signer<'a>, Publics<'a>),
}

/// sa.key.
#[derive(Debug, Clone)]
pub struct Signer<'a> {
    pub entry: EntryId,
    pub path: &'a str,
    pub key: &'a Key,
}

/// sa.pub.
#[derive(Debug, Clone, Copy)]
pub struct Publics<'a> {
    pub path: &'a str,
    pub keys: &'a [Vec<u8>],
}

/// One client, wherever it runs.
#[derive(Debug, Clone)]
pub struct Dialling<'a> {
    pub id: EntryId,
    pub tree: Option<&'a Tree>,
    pub shows: Shows<'a>,
    pub trusts: Held<Bundle<'a>>,
    /// What its kubeconfig says.
    pub host: Option<San>,
}

#[derive(Debug, Clone)]
pub enum Shows<'a> {
    Certificate(Held<Leaf<'a>>),
    Token(Held<Signer<'a>>),
}

/// One server, wherever it runs.
#[derive(Debug, Clone)]
pub struct Serving<'a> {
    pub id: EntryId,
    pub tree: Option<&'a Tree>,
    pub leaf: Held<Leaf<'a>>,
    pub clients: Held<Bundle<'a>>,
}

pub fn meet<'a>(number: u8, client: &Dialling<'a>, names: Vec<San>, server: Serving<'a>) -> Pair<'a> {
    // A client that is not here has the server's own copy of the authority, as far as can be seen.
    let authority = || match &server.clients {
        Held::Here(bundle) => Held::Here(*bundle),
        _ => Held::NotOnDisk,
    };
    let trusts = if client.tree.is_none() { authority() } else { client.trusts.clone() };
    let by_server = match client.shows.clone() {
        Shows::Certificate(leaf) => leaf.with(server.clients.clone(), Shown::Certificate),
        Shows::Token(signer) => signer.with(publics(server.tree), Shown::Token),
    };
    let by_client = server.leaf.with(trusts, |leaf, bundle| (leaf, bundle));
    Pair { number, client: client.id.clone(), server: server.id, names, by_client, by_server }
}

fn publics<'a>(tree: Option<&'a Tree>) -> Held<Publics<'a>> {
    let Some(file) = tree.and_then(|tree| tree.file("sa", Part::PublicKeys)) else { return Held::NotOnDisk };
    match &file.content {
        Content::PublicKeys(keys) => Held::Here(Publics { path: &file.path, keys }),
        _ => held::unread(file),
    }
}
