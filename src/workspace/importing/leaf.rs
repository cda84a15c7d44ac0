//! Whether an entry may have a certificate.

use super::candidates::{self, Candidate};
use super::context::{Importing, Placed};
use crate::error::Error;
use crate::plan::import::{self as plan, Expected, Refusal};
use crate::workspace::rotation::ahead;
use crate::x509::Certificate;

impl Importing<'_> {
    /// The key that a certificate is for. `Err`: there is none, or more than one.
    pub fn candidate(&self, leaf: &Certificate, named: Option<&str>) -> Result<&Candidate, Refusal> {
        candidates::matching(&self.candidates, &self.session.credentials, leaf, named)
    }

    /// The files of an entry with a certificate for its key, or why it may not have it. `rest`: what follows it in its file.
    ///
    /// # Errors
    /// The roots of its authority cannot be read, or a kubeconfig not edited.
    pub fn leaf(
        &self,
        candidate: &Candidate,
        leaf: &Certificate,
        rest: &[Certificate],
    ) -> Result<Result<Placed, Refusal>, Error> {
        let Some(credential) = self.session.credentials.get(candidate.index) else {
            return Ok(Err(Refusal::AmbiguousKey));
        };
        let id = &credential.id;
        let Some(template) = self.template(credential, candidate) else {
            return Ok(Err(Refusal::Unknown(id.clone())));
        };
        let new = self.new_signer(credential)?;
        let at = plan::instant(leaf, self.session.run.now);
        let is_ahead = ahead::is_of(leaf, rest, &new, at);
        let mut trusted = self.trusted(credential)?;
        if is_ahead {
            trusted.1 = new.iter().take(1).cloned().collect();
        }
        let mut issued = credential.authority.map(|authority| self.issued_by(authority)).unwrap_or_default();
        issued.retain(|(name, _)| *name != id.to_string());
        let verdict = plan::judge(
            leaf,
            rest,
            &Expected {
                blueprint: &template.blueprint_for(candidate.key.algorithm()),
                dispensable: &template.names.surplus,
                anchors: trusted.0,
                trusted: &trusted.1,
                issued: &issued,
                now: at,
            },
        );
        if !verdict.objections.is_empty() {
            return Ok(Err(Refusal::Unfit(id.clone(), verdict.objections)));
        }
        let mut said = Vec::new();
        if !verdict.surplus.is_empty() {
            said.push(format!("{id} has more than was requested: {}", verdict.surplus.join(", ")));
        }
        if !verdict.lost.is_empty() {
            let lost: Vec<String> = verdict.lost.iter().map(ToString::to_string).collect();
            said.push(format!("{id} loses names that it has now: {}", lost.join(", ")));
        }
        if let Some(subject) = &verdict.other_subject {
            let asked = &template.blueprint.subject;
            said.push(format!("{id} has the subject {subject}, requested was {asked}: its authority decides it"));
        }
        let placed = match is_ahead {
            true => self.ahead(credential, candidate, (leaf, rest), &new),
            false => Ok(self.place(credential, candidate, &template, leaf, rest)?),
        };
        Ok(placed.map(|placed| Placed { warnings: [said, placed.warnings].concat(), ..placed }))
    }
}
