//! The issuers of a run, each with its requests.

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::question::Question;
use crate::error::Error;
use crate::keys::{self, Silence, Unissued};
use crate::parallel;
use crate::plan::renew::{Credential, CsrTemplate};
use crate::profile::IssuerOptions;
use crate::signals;
use crate::tree::EntryId;
use crate::workspace::requests::{External, Made};
use crate::workspace::{Locked, Progress, Session, Snapshot, Transaction};
use crate::x509::Request;

/// A certificate that an issuer is to be asked for.
#[derive(Debug)]
pub struct Order<'a> {
    pub credential: &'a Credential,
    pub issuer: &'a IssuerOptions,
    template: CsrTemplate,
}

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    pub id: EntryId,
    /// The issuer's program.
    pub program: String,
    /// What it was asked for.
    pub request: Request,
    /// When the certificate was to end.
    pub until: OffsetDateTime,
    /// The chain, as it was written.
    pub outcome: Result<Zeroizing<Vec<u8>>, Unissued>,
}

impl Order<'_> {
    pub fn program(&self) -> &str {
        self.issuer.command.first().map_or("", String::as_str)
    }
}

/// Those of the requests that have an issuer.
pub fn orders<'s>(session: &'s Session<'_>, external: &External<'_>) -> Vec<Order<'s>> {
    let order = |(id, _, _, template): &(&EntryId, _, _, CsrTemplate)| {
        let credential = session.credentials.iter().find(|one| one.id == **id)?;
        Some(Order { credential, issuer: credential.issuer(session.profile())?, template: template.clone() })
    };
    external.wanted.iter().filter_map(order).collect()
}

/// Writes the requests and asks for them.
///
/// # Errors
/// A request cannot be made or written, or a signal has arrived.
pub fn ask(
    session: &Session<'_>,
    external: &External<'_>,
    snapshot: &Snapshot,
    (locked, verb): (&Locked<'_>, &'static str),
    progress: Progress<'_>,
) -> Result<Vec<Answer>, Error> {
    let orders = orders(session, external);
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let is_ordered = |id: &EntryId| orders.iter().any(|order| order.credential.id == *id);
    let mut made = external.only(is_ordered).make(session.run.threads, progress)?;
    let changes: Vec<_> = made.iter_mut().flat_map(|made| std::mem::take(&mut made.changes)).collect();
    if !changes.is_empty() {
        locked.commit(verb, session.run.now, Transaction { changes, ..Transaction::default() })?;
    }
    let all: Vec<(&Order<'_>, &Made)> = orders.iter().zip(&made).collect();
    let mut issuers: Vec<&IssuerOptions> = Vec::new();
    for order in &orders {
        if !issuers.contains(&order.issuer) {
            issuers.push(order.issuer);
        }
    }
    let mut answers = Vec::new();
    for issuer in issuers {
        let of_it: Vec<_> = all.iter().filter(|(order, _)| order.issuer == issuer).collect();
        let (before, silence) = (answers.len(), Silence::default());
        let one = |at: usize| {
            let (order, made) = of_it.get(at)?;
            signals::check().ok()?;
            Some(answer(session, (order, made), snapshot, &silence))
        };
        let between = |done: usize| progress(before.saturating_add(done), all.len());
        let asked = parallel::map(of_it.len(), usize::from(issuer.parallel), one, between)?;
        answers.extend(asked.into_iter().collect::<Result<Vec<_>, _>>()?);
        signals::check()?;
    }
    Ok(answers)
}

fn answer(
    session: &Session<'_>,
    (order, made): (&Order<'_>, &Made),
    snapshot: &Snapshot,
    silence: &Silence,
) -> Result<Answer, Error> {
    let (now, credential, template) = (session.run.now, order.credential, &order.template);
    let signer = credential.authority.and_then(|authority| snapshot.certificate(authority));
    let until = now.saturating_add(template.lifetime);
    // Nothing outlives its authority.
    let until = signer.map_or(until, |signer| until.min(signer.not_after));
    let cluster = session.profile().map(|profile| profile.cluster_name.as_str());
    let question = Question { credential, cluster, request: &made.request, now, until };
    let outcome = session.tree.keys.issued(&keys::Order {
        issuer: order.issuer,
        request: made.request.to_pem().as_bytes(),
        variables: &question.variables()?,
        silence,
    });
    Ok(Answer {
        id: credential.id.clone(),
        program: order.program().to_owned(),
        request: made.request.clone(),
        until,
        outcome,
    })
}
