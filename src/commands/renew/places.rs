//! The files that a renewal writes.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::renew::Credential;
use crate::store::RootId;

impl Renewing<'_> {
    /// Each with whether it may replace an existing one.
    pub fn places(&self, evaluation: &Evaluation) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
        let renewed = evaluation.renewed(&self.credentials);
        let issued = self.credentials.iter().filter(|one| evaluation.issued.has(&one.id));
        let repaired = evaluation.repairs.iter().map(|repair| &repair.place);
        let places = renewed.into_iter().chain(issued).flat_map(Credential::places).chain(repaired);
        places.map(|place| Ok((place.root_id(), RelPath::parse(place.path.as_str())?, true))).collect()
    }
}
