//! The files that a certificate and its key become.

use super::candidates::{Candidate, Source};
use super::context::{Importing, Placed, row};
use crate::error::Error;
use crate::plan::import::{self as plan, Refusal};
use crate::plan::renew::{self, Credential, CsrTemplate};
use crate::report::requests::RequestEntry;
use crate::tree::Place;
use crate::workspace::put::Put;
use crate::workspace::rotation::ahead;
use crate::x509::{Certificate, parse_pem_bundle};

impl Importing<'_> {
    pub(super) fn place(
        &self,
        credential: &Credential,
        candidate: &Candidate,
        template: &CsrTemplate,
        leaf: &Certificate,
        rest: &[Certificate],
    ) -> Result<Placed, Error> {
        let paths = self.session.tree.display_paths(credential.places());
        let old = template.old.as_deref();
        let trusted = credential.authority.map(|authority| self.snapshot.bundle(authority)).unwrap_or_default();
        let chain = plan::kept_chain(rest, trusted);
        let is_there = match old {
            Some(old) if old.der != leaf.der => false,
            Some(_) if credential.is_kubeconfig() => true,
            Some(_) => self.holds(&credential.public, leaf, &chain),
            None => false,
        };
        if matches!(candidate.source, Source::InPlace) && is_there {
            let entry = RequestEntry { paths, ..row(credential, "keep", leaf, None) };
            return Ok(Placed { entry, ..Placed::default() });
        }
        let put = Put {
            credential,
            key: &candidate.key,
            is_fresh: !matches!(candidate.source, Source::InPlace),
            access: candidate.access.as_ref(),
            leaf,
            chain: &chain,
            trusted,
        };
        let changes = put.changes(&self.snapshot.survey)?;
        let removals = match &candidate.source {
            Source::Staged(files) => {
                // What a new authority signed for it cannot be used any more.
                let paths = [&files.key, &files.request, &files.certificate];
                paths.map(|path| (files.root, path.clone())).to_vec()
            }
            Source::Out | Source::InPlace => Vec::new(),
        };
        let entry = RequestEntry { paths, ..row(credential, "import", leaf, old) };
        Ok(Placed { entry, certificate: Some(leaf.clone()), changes, removals, ..Placed::default() })
    }

    /// A certificate of the new authority, whose switch waits for the others: it waits beside its request.
    pub(super) fn ahead(
        &self,
        credential: &Credential,
        candidate: &Candidate,
        (leaf, rest): (&Certificate, &[Certificate]),
        new: &[Certificate],
    ) -> Result<Placed, Refusal> {
        let Source::Staged(files) = &candidate.source else {
            return Err(Refusal::BeforeTheSwitch(credential.id.clone()));
        };
        let change = ahead::beside(files, leaf, &plan::kept_chain(rest, new));
        let path = self.session.tree.roots.path_of(files.root, &files.certificate);
        let old = renew::certificate_of(credential, &self.snapshot.survey);
        let entry = RequestEntry {
            paths: vec![path.display().to_string()],
            reasons: vec!["in place with the others, at the switch".to_owned()],
            ..row(credential, "wait", leaf, old.as_ref())
        };
        // Nobody uses it yet: it has its line of the journal when it is put in place.
        Ok(Placed { entry, changes: vec![change], waits: credential.authority, ..Placed::default() })
    }

    /// The file has these certificates and no others.
    fn holds(&self, place: &Place, leaf: &Certificate, chain: &[Certificate]) -> bool {
        let there = self.file(place).and_then(|bytes| parse_pem_bundle(bytes).ok()).unwrap_or_default();
        there.iter().eq([leaf].into_iter().chain(chain))
    }
}
