//! Who signs what this tree cannot sign.

use crate::catalog::CaId;

/// Why this tree cannot sign a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// The authority is the tree's, and its key is not in it.
    Key(CaId),
    /// Its key exists, and could not be opened in this run.
    Closed(CaId),
    /// None of the tree's authorities: a public or commercial one.
    Authority,
}
