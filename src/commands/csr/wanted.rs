//! The entries that were named.

use super::elsewhere;
use super::run::Request;
use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::renew::{self as plan, CsrDecision, CsrTemplate, Skipped};
use crate::tree::{EntryId, Place};
use crate::workspace::{Session, Snapshot};
use crate::x509::Certificate;

/// One named entry.
pub struct Wanted {
    pub id: EntryId,
    pub public: Place,
    pub private: Option<Place>,
    pub template: Result<Box<CsrTemplate>, Skipped>,
    /// An authority whose key is elsewhere, and stays there.
    pub by: Option<(CaId, Box<Certificate>)>,
}

/// What was named; a key that was given is for one.
pub fn of(session: &Session<'_>, request: &Request) -> Result<Vec<Wanted>, Error> {
    let wanted = named(session, request)?;
    match (&request.key, wanted.as_slice()) {
        (Some(_), [_, _, ..]) => Err(Error::usage("--key is for one entry, and several were named")
            .hint("name one entry, as NODE/NAME in a cluster directory")),
        _ => Ok(wanted),
    }
}

/// Credentials by name, and authorities.
fn named(session: &Session<'_>, request: &Request) -> Result<Vec<Wanted>, Error> {
    let names = &request.names;
    let (authorities, credentials): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| CaId::parse(name).is_some());
    let snapshot = session.peek()?;
    let mut wanted = Vec::new();
    if names.is_empty() || !credentials.is_empty() {
        let names: Vec<String> = credentials.into_iter().cloned().collect();
        wanted.extend(of_credentials(session, &snapshot, &names)?);
    }
    for authority in authorities.iter().filter_map(|name| CaId::parse(name)) {
        let (public, private) = session.tree.directories.authority(authority);
        let (profile, now) = (session.profile(), session.run.now);
        let template = plan::ask_authority(authority, &public, &snapshot.survey, profile, now).map(Box::new);
        let by = if request.key.is_none() { elsewhere::key_of(session, &snapshot, authority)? } else { None };
        wanted.push(Wanted { id: EntryId::new(None, authority.name()), public, private, template, by });
    }
    Ok(wanted)
}

fn of_credentials(session: &Session<'_>, snapshot: &Snapshot, names: &[String]) -> Result<Vec<Wanted>, Error> {
    let rules = session.identity_rules(names.iter().any(|name| EntryId::whole_node(name).is_none()));
    let mut wanted = Vec::new();
    for credential in session.select(names)? {
        let (authorities, survey) = (&snapshot.authorities, &snapshot.survey);
        let template = match plan::ask(&credential, &session.credentials, authorities, survey, &rules) {
            CsrDecision::Absent => continue,
            CsrDecision::CsrTemplate(template) => Ok(template),
            CsrDecision::Skipped(skipped) => Err(skipped),
        };
        wanted.push(Wanted {
            id: credential.id,
            public: credential.public,
            private: credential.private,
            template,
            by: None,
        });
    }
    Ok(wanted)
}
