//! The terms of a certificate: from the flags, or from an entry of the tree.

use super::request::Request;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::{self, CsrDecision, Skipped};
use crate::plan::sign::Terms;
use crate::workspace::{Session, Snapshot};

pub struct Agreed {
    pub terms: Terms,
    /// Which of the tree's authorities signs.
    pub authority: CaId,
    /// The name in the journal.
    pub entry: Option<String>,
}

pub fn agree(request: &Request, tree: Option<(&Session<'_>, &Snapshot)>) -> Result<Agreed, Error> {
    let stated = || Terms::Stated(request.stated.clone());
    let (Some(name), Some((session, snapshot))) = (&request.entry, tree) else {
        return Ok(Agreed { terms: stated(), authority: request.signer, entry: None });
    };
    if let Some(authority) = CaId::parse(name) {
        let (public, _) = session.tree.directories.authority(authority);
        let (profile, now) = (session.profile(), session.run.now);
        let template = renew::ask_authority(authority, &public, &snapshot.survey, profile, now);
        let terms = Terms::Entry(Box::new(template.map_err(|skipped| unknown(&skipped, name, session))?));
        return Ok(Agreed { terms, authority: request.signer, entry: Some(name.clone()) });
    }
    let selected = session.select(std::slice::from_ref(name))?;
    let [credential] = selected.as_slice() else {
        return Err(Error::usage(format!("{name} is on several nodes")).hint("give NODE/NAME with --as"));
    };
    let Some(authority) = credential.authority else {
        return Err(Error::new(format!(
            "cannot sign for {name}: its authority is external (extraCertificates.authority)"
        ))
        .hint(match credential.issuer(session.profile()) {
            Some(_) => format!("have its issuer asked with: {}", session.target.origin.command("renew", &[name], &[])),
            None => format!(
                "make the request for its authority with: {}",
                session.target.origin.command("csr", &[name], &[])
            ),
        })
        .hint("or name an authority of the tree in the profile"));
    };
    let (authorities, survey) = (&snapshot.authorities, &snapshot.survey);
    let rules = session.identity_rules(true);
    match renew::ask(credential, &session.credentials, authorities, survey, &rules) {
        CsrDecision::CsrTemplate(template) => {
            Ok(Agreed { terms: Terms::Entry(template), authority, entry: Some(credential.id.to_string()) })
        }
        CsrDecision::Skipped(skipped) => Err(unknown(&skipped, name, session)),
        CsrDecision::Absent => Err(unknown(&Skipped::Unknown, name, session)),
    }
}

fn unknown(skipped: &Skipped, name: &str, session: &Session<'_>) -> Error {
    Error::new(format!("subject, names and usages of {name} are unknown"))
        .because(error::left(skipped, name, &session.target.origin, false))
        .hint("give the profile with --profile FILE")
}
