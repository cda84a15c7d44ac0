//! Pairs become edges. What is the same is judged once: a hundred kubelets dial three API servers, and each certificate is
//! shown to each bundle in one handshake.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::OffsetDateTime;

use super::edge::{Edge, Fault, Half, Refused};
use super::held::{Bundle, Held, Leaf};
use super::pair::{Pair, Publics, Shown, Signer};
use crate::blueprint::San;
use crate::handshake::{Client, Identity, Reason, Server, Shaker, Side, TokenError, Trust, Unusable, named, signs_for};
use crate::x509::{Usage, sha256};

type Digest = [u8; 32];

/// One certificate before one bundle.
#[derive(Debug, Clone, Copy)]
struct Asked<'p, 'a> {
    leaf: &'p Leaf<'a>,
    bundle: &'p Bundle<'a>,
    usage: Usage,
}

/// Equal chains with equal keys before equal bundles are one question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    chain: Vec<Digest>,
    key: Option<Digest>,
    bundle: Vec<Digest>,
    as_server: bool,
}

#[derive(Debug, Clone)]
enum Answer {
    Accepted,
    Refused(Reason),
    Unknown(String),
}

#[derive(Debug)]
struct Shakes {
    shaker: Shaker,
    trusts: BTreeMap<Vec<Digest>, Arc<Trust>>,
    identities: BTreeMap<(Vec<Digest>, Option<Digest>), Result<Identity, Unusable>>,
    answers: BTreeMap<Question, Answer>,
    tokens: BTreeMap<(Digest, Vec<Digest>), Result<(), TokenError>>,
}

pub fn shaken(pairs: &[Pair<'_>], at: OffsetDateTime) -> Vec<Edge> {
    let mut shakes = Shakes {
        shaker: Shaker::new(at),
        trusts: BTreeMap::new(),
        identities: BTreeMap::new(),
        answers: BTreeMap::new(),
        tokens: BTreeMap::new(),
    };
    pairs.iter().map(|pair| shakes.edge(pair)).collect()
}

impl Question {
    fn of(asked: Asked<'_, '_>) -> Self {
        Self {
            chain: asked.leaf.chain.iter().map(|one| one.fingerprint).collect(),
            key: asked.leaf.key.map(|key| sha256(&key.pem.0)),
            bundle: asked.bundle.certificates.iter().map(|one| one.fingerprint).collect(),
            as_server: asked.usage == Usage::Server,
        }
    }
}

impl Shakes {
    fn edge(&mut self, pair: &Pair<'_>) -> Edge {
        let server = match &pair.by_client {
            Held::Here((leaf, bundle)) => Some(Asked { leaf, bundle, usage: Usage::Server }),
            _ => None,
        };
        let client = match &pair.by_server {
            Held::Here(Shown::Certificate(leaf, bundle)) => Some(Asked { leaf, bundle, usage: Usage::Client }),
            _ => None,
        };
        if let (Some(server), Some(client)) = (server, client) {
            self.shake(client, server, &pair.names);
        }
        let by_client = match &pair.by_client {
            Held::Here((leaf, bundle)) => self.half(Asked { leaf, bundle, usage: Usage::Server }, &pair.names),
            Held::NotLookedAt { path, why } => Half::NotLookedAt { path: path.clone(), why: why.clone() },
            Held::NotOnDisk => Half::NotOnDisk,
            Held::Elsewhere(why) => Half::Elsewhere(why),
        };
        let by_server = match &pair.by_server {
            Held::Here(Shown::Certificate(leaf, bundle)) => {
                self.half(Asked { leaf, bundle, usage: Usage::Client }, &[])
            }
            Held::Here(Shown::Token(signer, publics)) => self.token(signer, publics),
            Held::NotLookedAt { path, why } => Half::NotLookedAt { path: path.clone(), why: why.clone() },
            Held::NotOnDisk => Half::NotOnDisk,
            Held::Elsewhere(why) => Half::Elsewhere(why),
        };
        let (client, server, names) = (pair.client.clone(), pair.server.clone(), pair.names.clone());
        Edge { number: pair.number, client, server, names, by_client, by_server }
    }

    /// Both sides in one handshake, unless both answers are known.
    fn shake(&mut self, client: Asked<'_, '_>, server: Asked<'_, '_>, names: &[San]) {
        let (of_client, of_server) = (Question::of(client), Question::of(server));
        if self.answers.contains_key(&of_client) && self.answers.contains_key(&of_server) {
            return;
        }
        let (servers, clients) = (self.trust(&of_server, server), self.trust(&of_client, client));
        let (Ok(ours), Ok(theirs)) = (self.identity(&of_client, client), self.identity(&of_server, server)) else {
            return;
        };
        // A name that the certificate is not for is a refusal of its own, and must not hide what else there is.
        let name = server.leaf.chain.first().and_then(|leaf| names.iter().find(|name| named(leaf, name).is_ok()));
        let dialling = Client { identity: Some(&ours), servers: Some(&servers), name };
        match self.shaker.shake(dialling, Server { identity: &theirs, clients: Some(&clients) }) {
            Ok(()) => {
                self.answers.insert(of_server, Answer::Accepted);
                self.answers.insert(of_client, Answer::Accepted);
            }
            Err(refusal) if refusal.by == Side::Client => {
                self.answers.insert(of_server, answer(refusal.why));
            }
            // The client has accepted the server before it shows its own certificate.
            Err(refusal) => {
                self.answers.insert(of_server, Answer::Accepted);
                self.answers.insert(of_client, answer(refusal.why));
            }
        }
    }

    /// One side alone, where the other has nothing to show, or has refused before it was asked.
    fn ask(&mut self, question: &Question, asked: Asked<'_, '_>) -> Answer {
        let trust = self.trust(question, asked);
        let identity = match self.identity(question, asked) {
            Ok(identity) => identity,
            // Without the key a refusal is certain, and an acceptance is not.
            Err(why) => return without_key(asked, &trust, self.shaker.at(), &why),
        };
        let result = match asked.usage {
            Usage::Server => {
                let client = Client { identity: None, servers: Some(&trust), name: None };
                self.shaker.shake(client, Server { identity: &identity, clients: None })
            }
            // Whom it dials does not matter: a server with the same key.
            Usage::Client => {
                let client = Client { identity: Some(&identity), servers: None, name: None };
                self.shaker.shake(client, Server { identity: &identity, clients: Some(&trust) })
            }
        };
        result.map_or_else(|refusal| answer(refusal.why), |()| Answer::Accepted)
    }

    fn half(&mut self, asked: Asked<'_, '_>, names: &[San]) -> Half {
        let question = Question::of(asked);
        let known = self.answers.get(&question).cloned();
        let answer = known.unwrap_or_else(|| {
            let answer = self.ask(&question, asked);
            self.answers.insert(question, answer.clone());
            answer
        });
        match answer {
            Answer::Refused(why) => refused(asked, &why),
            Answer::Unknown(why) => Half::NotLookedAt { path: asked.leaf.path.to_owned(), why },
            Answer::Accepted => {
                let leaf = asked.leaf.chain.first();
                let wrong = leaf.and_then(|leaf| names.iter().find_map(|name| named(leaf, name).err()));
                wrong.map_or(Half::Accepted, |why| refused(asked, &why))
            }
        }
    }

    fn trust(&mut self, question: &Question, asked: Asked<'_, '_>) -> Arc<Trust> {
        let make = || Arc::new(Trust(asked.bundle.certificates.to_vec()));
        Arc::clone(self.trusts.entry(question.bundle.clone()).or_insert_with(make))
    }

    fn identity(&mut self, question: &Question, asked: Asked<'_, '_>) -> Result<Identity, Unusable> {
        let make = || match asked.leaf.key {
            Some(key) => Identity::new(asked.leaf.chain, &key.pem.0),
            None => Err(Unusable::NoKey),
        };
        self.identities.entry((question.chain.clone(), question.key)).or_insert_with(make).clone()
    }

    fn token(&mut self, signer: &Signer<'_>, publics: &Publics<'_>) -> Half {
        let known = (sha256(&signer.key.pem.0), publics.keys.iter().map(|key| sha256(key)).collect());
        let sign = || signs_for(&signer.key.pem.0, publics.keys);
        match self.tokens.entry(known).or_insert_with(sign) {
            Ok(()) => Half::Accepted,
            Err(why @ TokenError::Unknown(_)) => Half::Refused(Refused {
                fault: Fault::Token,
                found: why.to_string(),
                path: signer.path.to_owned(),
                entry: signer.entry.clone(),
                others: vec![publics.path.to_owned()],
            }),
            Err(why) => Half::NotLookedAt { path: signer.path.to_owned(), why: why.to_string() },
        }
    }
}

fn without_key(asked: Asked<'_, '_>, trust: &Trust, at: OffsetDateTime, why: &Unusable) -> Answer {
    let unknown = || Answer::Unknown(why.to_string());
    let Some((leaf, behind)) = asked.leaf.chain.split_first() else { return unknown() };
    match trust.accepts(leaf, behind, asked.usage, at) {
        Err(reason) if !reason.is_unknown() => Answer::Refused(reason),
        _ => unknown(),
    }
}

fn answer(why: Reason) -> Answer {
    if why.is_unknown() { Answer::Unknown(why.to_string()) } else { Answer::Refused(why) }
}

fn refused(asked: Asked<'_, '_>, why: &Reason) -> Half {
    let fault = match why {
        Reason::Path(error) if error.is_about_dates() => Fault::Dates,
        Reason::Path(_) | Reason::NoCertificate | Reason::Tls(_) => Fault::Path,
        Reason::Usage { .. } => Fault::Usage,
        Reason::Name { .. } => Fault::Name,
        Reason::Proof => Fault::Key,
    };
    Half::Refused(Refused {
        fault,
        found: why.to_string(),
        path: asked.leaf.path.to_owned(),
        entry: asked.leaf.entry.clone(),
        others: vec![asked.bundle.path.to_owned()],
    })
}
