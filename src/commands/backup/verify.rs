//! Opens a backup and judges what is in it.

use super::request::VerifyRequest;
use super::summary::summary;
use crate::error::Error;
use crate::report::backup::{Compared, State, Verified};
use crate::workspace::backup::{Contents, collect, damaged, judge, newer, open};
use crate::workspace::passwords::Passwords;
use crate::workspace::recorded;

pub fn run(request: VerifyRequest, passwords: &mut dyn Passwords) -> Result<Verified, Error> {
    // Before a passphrase is asked for.
    let tree = request.dir.as_deref().map(|dir| recorded::tree(dir, request.kubelet_dir.as_deref())).transpose()?;
    let opened = open(request.source, passwords)?;
    let contents = Contents::read(&opened.archive).map_err(|why| damaged(&opened.name).because(why))?;
    let judged = judge(&contents, request.keys.as_deref().map(String::as_str));
    let compared = match &tree {
        None => None,
        Some(tree) => {
            let now = tree.or_interrupted(collect(&tree.roots, None))?;
            let newer = newer(&contents, &now);
            Some(Compared {
                directory: tree.roots.main.display().to_string(),
                certificates: newer.certificates,
                lists: newer.lists,
                unknown: newer.unknown,
                changed: newer.changed,
                warnings: tree.left_by_interrupted()?,
            })
        }
    };
    let state = match &compared {
        _ if !judged.judgement.problems.is_empty() => State::Incomplete,
        Some(compared) if compared.is_other() => State::Older,
        _ => State::Whole,
    };
    Ok(Verified {
        state,
        file: opened.name,
        encrypted: opened.encrypted,
        summary: summary(&contents.manifest, &judged),
        compared,
    })
}
