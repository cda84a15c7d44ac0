//! A certificate that no authority of the tree signs: judged by its dates, key and names, never renewed here.

use super::context::{Existing, Run};
use super::reasons::differences;
use super::{Decision, Skipped};
use crate::plan::blueprints::{BACK_DATE, Bounds};
use crate::plan::outside::Outside;

impl Run<'_> {
    pub(super) fn by_external(&self, existing: Existing) -> Decision {
        let leaf = &existing.leaf;
        let wanted = self.wanted(Bounds::of_request(self.rules.now));
        let (_, names) = self.names(leaf, wanted.as_ref());
        // How long a new one lives is for its authority to say: the window is a part of what this one does.
        let mut reasons = self.broken(&existing, leaf.not_after - leaf.not_before + BACK_DATE);
        reasons.extend(differences(&names, &self.missing_usages(leaf, wanted.as_ref())));
        if reasons.is_empty() && !self.is_asked() {
            return Decision::Keep(Box::new(existing.leaf));
        }
        Decision::Skipped(Skipped::External(Outside::Authority), Some(Box::new(existing.leaf)))
    }
}
