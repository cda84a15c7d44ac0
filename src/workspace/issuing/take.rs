//! What of the answers goes into the tree.

use std::collections::{BTreeMap, BTreeSet};

use time::Duration;

use super::ask::Answer;
use crate::clock::length;
use crate::error::{self, Error};
use crate::plan::import::{Objection, Refusal};
use crate::tree::EntryId;
use crate::workspace::importing::candidates::Source;
use crate::workspace::importing::{Arranged, Candidate, Importing, Placed};
use crate::workspace::requests::{self, Site};
use crate::workspace::{Session, Snapshot};
use crate::x509::Certificate;

/// A lifetime that differs by less is what was asked for: issuers round, and date back.
const TOLERANCE: Duration = Duration::hours(1);

/// The answers of a run.
#[derive(Debug, Default)]
pub struct Issued {
    /// Their files, in the order of the answers.
    pub placed: Vec<Placed>,
    pub left: Vec<Left>,
    pub warnings: Vec<String>,
    /// The program that each was issued by.
    pub programs: BTreeMap<EntryId, String>,
}

/// What is not in use yet.
#[derive(Debug)]
pub struct Left {
    pub id: EntryId,
    pub why: String,
}

impl Issued {
    /// Whether an entry has a new certificate.
    pub fn has(&self, id: &EntryId) -> bool {
        self.certificates().any(|(one, _)| one == id)
    }

    pub fn certificates(&self) -> impl Iterator<Item = (&EntryId, &Certificate)> {
        self.placed.iter().filter_map(|one| Some((&one.entry.id, one.certificate.as_ref()?)))
    }
}

/// Judges each as `kpki import` does. Key and request have to wait still, as they were. `for_new`: whose request waits for the new
/// authority of a rotation, since nothing else is due.
///
/// # Errors
/// A request that waits cannot be read.
pub fn take(
    session: &Session<'_>,
    snapshot: &Snapshot,
    answers: &[Answer],
    for_new: &BTreeSet<EntryId>,
) -> Result<Issued, Error> {
    let mut issued = Issued::default();
    for answer in answers {
        let program = &answer.program;
        let judged = one(session, snapshot, answer, &issued)?.and_then(|(placed, said)| {
            let is_by_old = placed.waits.is_none() && for_new.contains(&answer.id);
            if is_by_old { Err(refusal(&Refusal::ByTheOld(answer.id.clone()))) } else { Ok((placed, said)) }
        });
        match judged {
            Ok((placed, said)) => {
                issued.warnings.extend(said.iter().map(|what| format!("{}: {what}", answer.id)));
                issued.warnings.extend(placed.warnings.iter().cloned());
                issued.programs.insert(answer.id.clone(), program.clone());
                if placed.certificate.is_none() {
                    let why = format!("issued by {program}: {}", placed.entry.reasons.join("; "));
                    issued.left.push(Left { id: answer.id.clone(), why });
                }
                issued.placed.push(placed);
            }
            Err(why) => {
                let why = format!("{program}: {why}; its request waits, and the next run asks again");
                issued.left.push(Left { id: answer.id.clone(), why });
            }
        }
    }
    let lifetimes = answers.iter().filter_map(|answer| other_lifetime(session, answer, &issued));
    let lifetimes: Vec<String> = lifetimes.collect();
    issued.warnings.extend(lifetimes);
    Ok(issued)
}

fn refusal(why: &Refusal) -> String {
    format!("its answer is refused: {}", error::not_taken(why))
}

type Taken = (Placed, Vec<String>);

fn one(
    session: &Session<'_>,
    snapshot: &Snapshot,
    answer: &Answer,
    before: &Issued,
) -> Result<Result<Taken, String>, Error> {
    let bytes = match &answer.outcome {
        Ok(bytes) => bytes,
        Err(why) => return Ok(Err(why.to_string())),
    };
    let Some(candidate) = candidate(session, answer)? else {
        return Ok(Err(
            "its answer is not taken: the request or its key is not the one that it was asked for any more".to_owned(),
        ));
    };
    let importing = Importing { session, snapshot, candidates: vec![candidate], root: None };
    let named = answer.id.to_string();
    let refused = |why: &Refusal| Ok(Err(refusal(why)));
    let Arranged { leaf, rest, said } = match importing.arranged(bytes, Some(&named))? {
        Ok(arranged) => arranged,
        Err(why) => return refused(&why),
    };
    let taken = before.certificates().find(|(_, one)| one.serial == leaf.serial && one.issuer_der == leaf.issuer_der);
    if let Some((id, _)) = taken {
        return refused(&Refusal::Unfit(answer.id.clone(), vec![Objection::SerialTaken(id.to_string())]));
    }
    let placed = match importing.candidate(&leaf, Some(&named)) {
        // Roots that cannot be read are no reason to leave the others.
        Ok(candidate) => match importing.leaf(candidate, &leaf, &rest) {
            Ok(placed) => placed,
            Err(error) => {
                let causes: Vec<String> = std::iter::once(error.what).chain(error.why).collect();
                return Ok(Err(causes.join(": ")));
            }
        },
        Err(why) => return refused(&why),
    };
    match placed {
        Ok(placed) => Ok(Ok((placed, said))),
        Err(why) => refused(&why),
    }
}

/// The key of the request that was asked for, if both wait.
fn candidate(session: &Session<'_>, answer: &Answer) -> Result<Option<Candidate>, Error> {
    let site = Site::Tree(session.tree.roots.clone());
    let found = session.credentials.iter().enumerate().find(|(_, one)| one.id == answer.id);
    let Some((index, credential)) = found else { return Ok(None) };
    let files = site.files(&credential.public, credential.private.as_ref())?;
    let waiting = requests::waiting(&site, &files)?;
    let is_same = |request: &Option<_>| request.as_ref() == Some(&answer.request);
    Ok(waiting.filter(|waiting| is_same(&waiting.request)).map(|requests::Waiting { key, request, access }| {
        Candidate { index, key, source: Source::Staged(files), request, access }
    }))
}

/// How long it lives is for whoever signs it to say.
fn other_lifetime(session: &Session<'_>, answer: &Answer, issued: &Issued) -> Option<String> {
    let (id, certificate) = issued.certificates().find(|(id, _)| **id == answer.id)?;
    let (found, wanted, now) = (certificate.not_after, answer.until, session.run.now);
    ((found - wanted).abs() > TOLERANCE).then(|| {
        format!("{id} ends in {}, asked for were {}: its issuer decides it", length(found - now), length(wanted - now))
    })
}
