//! The lists of revoked certificates of an authority that changes hands: one of each certificate that is trusted, the signer's
//! first. Readers that check every issuer (HAProxy, nginx) refuse all clients of an issuer without a list.

use time::OffsetDateTime;

use super::change::{Content, Target};
use super::files;
use crate::ca::Changes;
use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::rotate::Trusted;
use crate::store::FileChange;
use crate::tree::rotation::Rotating;
use crate::tree::{Issuers, file};
use crate::workspace::crl_file::{self, List};
use crate::workspace::crl_issue::Writing;
use crate::workspace::crls::TreeCrl;
use crate::workspace::remembered::remembered;
use crate::workspace::{Session, Snapshot, journal};
use crate::x509::{Certificate, parse_authority};

/// The new files, and what is said of them.
#[derive(Debug, Default)]
pub struct Lists {
    pub changes: Vec<FileChange>,
    /// Lines of the journal.
    pub journal: Vec<String>,
    pub warnings: Vec<String>,
    /// What others must do.
    pub left: Vec<String>,
}

/// Where there are lists: those that belong to the authorities' new files. `before`: the tree as it is; `issuers`: of the tree as it
/// will be, `None`: nothing is signed.
pub fn of(
    session: &Session<'_>,
    before: &Snapshot,
    targets: &[Target],
    issuers: Option<&Issuers>,
    (command, now): (&str, OffsetDateTime),
) -> Result<Lists, Error> {
    let mut done = Lists::default();
    let authorities = targets.iter().filter_map(|target| match &target.content {
        Content::Authority(authority, trusted) => Some((*authority, trusted)),
        Content::ServiceAccount(_) => None,
    });
    for (authority, trusted) in authorities {
        one(session, before, (authority, trusted), issuers, (command, now), &mut done)?;
    }
    Ok(done)
}

fn one(
    session: &Session<'_>,
    before: &Snapshot,
    (authority, trusted): (CaId, &Trusted<Certificate>),
    issuers: Option<&Issuers>,
    (command, now): (&str, OffsetDateTime),
    done: &mut Lists,
) -> Result<(), Error> {
    let place = files::own_public(session, Rotating::Authority(authority));
    let present = parse_authority(file(&before.survey, place.as_ref()).unwrap_or_default()).unwrap_or_default();
    let after = trusted.file(&present);
    // Those that leave the file may have a list still.
    let gone = present.iter().filter(|one| !after.contains(one));
    let all: Vec<Certificate> = after.iter().chain(gone).cloned().collect();
    let lines = journal::read(&session.tree.roots)?;
    let crls = TreeCrl::all(&session.tree, authority, &all, &lines)?;
    if crls.iter().all(|crl| crl.crl.is_none()) {
        return Ok(());
    }
    crls.iter().try_for_each(|crl| crl.verify(&session.tree))?;
    let stays: Vec<usize> = (0..after.len()).collect();
    let is_signed = crls.first().is_some_and(|crl| crl.crl.is_some());
    if is_signed {
        let mut kept: Vec<TreeCrl> = crls.into_iter().filter(|crl| crl.is_among(&stays)).collect();
        let returns = |one: &Certificate| !present.contains(one);
        for issuer in after.iter().skip(1).filter(|one| returns(one)) {
            let mut crl = TreeCrl::read(&session.tree, authority, issuer, &all, &lines)?;
            if let Some(List { der, crl: found }) = crl_file::kept(&session.tree, &crl.place, issuer)? {
                crl.remembered = remembered(&lines, issuer, found.edition().as_ref());
                (crl.der, crl.crl) = (Some(der), Some(found));
            }
            returned(session, before, crl, issuers, (command, now), (&mut kept, done))?;
        }
        let kept: Vec<&TreeCrl> = kept.iter().collect();
        done.changes.extend(TreeCrl::rewritten(session, before, authority, &kept)?);
        return Ok(());
    }
    let Some(issuers) = issuers else { return Ok(()) };
    let Some(crl) = crls.into_iter().next() else { return Ok(()) };
    let Some(issuer) = issuers.of(authority, &crl.issuer) else {
        done.warnings.push(format!(
            "{}: the key of {} is not here: put its list in front of the others, or readers that check every issuer refuse its \
             clients",
            crl.path, crl.issuer.subject
        ));
        return Ok(());
    };
    let crl = crl.beside_only(&stays);
    let writing = Writing { der: false, earlier: &[] };
    let issue = crl.next_issue(session, before, issuer, Changes::default(), writing)?;
    done.journal.push(issue.line(command, now));
    done.changes.extend(issue.changes);
    Ok(())
}

/// The list of an authority that is trusted again: as a generation keeps it, with its next issue where its key is here.
fn returned(
    session: &Session<'_>,
    before: &Snapshot,
    mut crl: TreeCrl,
    issuers: Option<&Issuers>,
    (command, now): (&str, OffsetDateTime),
    (kept, done): (&mut Vec<TreeCrl>, &mut Lists),
) -> Result<(), Error> {
    if crl.crl.is_none() && crl.remembered.number.is_none() {
        // It has never had one.
        return Ok(());
    }
    let issuer = issuers.and_then(|issuers| issuers.of(crl.authority, &crl.issuer));
    if let Some(issuer) = issuer {
        let writing = Writing { der: false, earlier: &[] };
        let issue = crl.next_issue(session, before, issuer, Changes::default(), writing)?;
        done.journal.push(issue.line(command, now));
        (crl.der, crl.crl) = (issue.list(), Some(issue.crl));
    } else if crl.crl.is_none() && issuers.is_some() {
        done.left.push(format!(
            "{}: neither the list of {} nor its key is here: put its list behind the others, or readers that check every issuer \
             refuse its clients",
            crl.path, crl.issuer.subject
        ));
        return Ok(());
    }
    if crl.crl.is_some() {
        kept.push(crl);
    }
    Ok(())
}
