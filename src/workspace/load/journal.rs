//! The journal of a tree, with what its chain says.

use std::path::Path;

use crate::error::Error;
use crate::store::{self, ChainFaults, Roots};
use crate::verify::{Journal, JournalContent};

pub fn read(root: &Path, roots: &Roots) -> Journal {
    let path = root.join(".kpki/journal.jsonl").display().to_string();
    let content = match faults(roots) {
        Ok(faults) => JournalContent::Faults(faults),
        Err(why) => JournalContent::Closed(why.to_string()),
    };
    Journal { path, content }
}

fn faults(roots: &Roots) -> Result<ChainFaults, Error> {
    // Before the journal: a run that ends in between makes it longer, and its generation is there first.
    let generations = store::generations(roots)?;
    // That run's lines may not be there yet.
    let unsure = usize::from(!matches!(store::pending(roots), Ok(false)));
    // All of them: the run after a loss begins a chain that fits what it found.
    let known: Vec<String> = generations.into_iter().skip(unsure).filter_map(|one| one.journal).collect();
    Ok(store::chain_faults(&store::journal_bytes(roots)?, &known))
}
