//! The CRLs that a renewal signs, and those that it leaves.

use super::evaluate::Evaluation;
use crate::report::revoke::{CrlRow, Signing};
use crate::workspace::crl_issue::{self, SignedCrlIssue};
use crate::workspace::crls::TreeCrl;

/// The rows of CRLs; `signed`: they have been signed.
pub fn rows(evaluation: &Evaluation, signed: &[SignedCrlIssue]) -> Vec<CrlRow> {
    let row = |crl: &&TreeCrl| {
        let new = signed.iter().find(|one| one.id() == crl.id());
        crl_issue::row(crl, new, true)
    };
    let left = |(index, why): &(usize, String)| {
        let row = crl_issue::row(evaluation.crls.get(*index)?, None, false);
        Some(CrlRow { action: Signing::Skipped, why: Some(why.clone()), ..row })
    };
    evaluation.due_crls().iter().map(row).chain(evaluation.left_crls.iter().filter_map(left)).collect()
}
