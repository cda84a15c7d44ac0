//! One named entry.

use crate::catalog::CaId;
use crate::plan::renew::{CsrTemplate, Skipped};
use crate::tree::{EntryId, Place};
use crate::x509::Certificate;

/// One named entry.
pub struct Wanted {
    pub id: EntryId,
    pub public: Place,
    pub private: Option<Place>,
    pub template: Result<Box<CsrTemplate>, Skipped>,
    /// An authority whose key is elsewhere, and stays there.
    pub by: Option<Keeper>,
}

/// Whose key stays elsewhere.
pub struct Keeper {
    pub authority: CaId,
    /// What says which key it is; `None`: there is none yet, and the key itself says it.
    pub certificate: Option<Box<Certificate>>,
}
