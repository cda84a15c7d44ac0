//! Messages: why an archive is not unpacked on a node.

use std::path::Path;

use super::failure::Error;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::encoding::shown::named;
use crate::files::{shell_path, shell_word};
use crate::plan::rotate::Missed;
use crate::plan::unpack::Older;
use crate::revocation::Number;
use crate::x509::decimal;

/// It is no archive of `kpki export`, or was damaged.
pub fn bad_archive(archive: &str, whys: impl IntoIterator<Item = String>) -> Error {
    let error = Error::new(format!("cannot use the archive {archive}: nothing was changed"));
    whys.into_iter()
        .fold(error, |error, why| error.because(why))
        .hint("export the node again on the host with the cluster directory, and bring the archive here whole")
}

pub fn archive_of_another_node(archive: &str, node: &str, here: &str) -> Error {
    Error::new(format!(
        "{archive} is the archive of {}, and this node is {}: nothing was changed",
        named(node),
        named(here)
    ))
    .hint("bring it to its own node, or give this node's archive")
    .hint("if the node's name is not the host name, give it with --node")
}

/// DIR has another node's files.
pub fn archive_beside_another_node(archive: &str, node: &str, there: &str, dir: &Path) -> Error {
    Error::new(format!("{archive} is the archive of {}: nothing was changed", named(node)))
        .because(node_there(there, node, dir))
        .hint("bring it to its own node, or give the archive of the node that is recorded")
        .hint("if this machine becomes another node, replace the files of the former one with --force and --node")
}

/// The node that DIR records, and the archive's.
pub fn node_there(there: &str, node: &str, dir: &Path) -> String {
    format!("the files in {} are those of {}, the archive's of {}", dir.display(), named(there), named(node))
}

/// `whys`: [`other_cluster`] and [`unrelated`].
pub fn archive_of_another_cluster(archive: &str, dir: &Path, whys: &[String]) -> Error {
    let error = Error::new(format!("{archive} is not of the cluster in {}: nothing was changed", dir.display()));
    whys.iter()
        .fold(error, |error, why| error.because(why))
        .hint("check that the archive is for this node, and made from the directory that has its authorities")
        .hint("if the node changes its cluster, or has all new authorities, replace them with --force")
}

pub fn other_cluster(held: &str, given: &str) -> String {
    format!("the cluster there is {}, the archive's {}", named(held), named(given))
}

pub fn unrelated(authority: &str) -> String {
    format!("the {authority} there and the archive's have no certificate in common")
}

/// An archive of a later step than the node's next one. `whys`: [`step_left_out`].
pub fn steps_left_out(archive: &str, node: &str, whys: &[String], force: &str) -> Error {
    let error = Error::new(format!(
        "{archive} is of a later step of a rotation than {} has had: nothing was changed",
        named(node)
    ));
    whys.iter()
        .fold(error, |error, why| error.because(why))
        .hint("unpack the archive of the step before first, and restart what it names: without it connections fail")
        .hint(format!("if the node has to be brought up to date at once, and may refuse others meanwhile: {force}"))
}

/// What the node has not had.
pub fn step_left_out(entry: &str, missed: Missed) -> String {
    match missed {
        Missed::Prepare => format!("{entry}: the one that is to sign was never trusted there (kpki rotate prepare)"),
        Missed::Switch => {
            format!(
                "{entry}: the one that signs there is not trusted any more, and never gave way (kpki rotate switch)"
            )
        }
    }
}

/// What a person can do about an archive that is older.
#[derive(Debug, Clone, Copy)]
pub struct Ways<'a> {
    /// Where the newer lies.
    pub dir: &'a Path,
    /// The command that leaves what is newer, if that is all.
    pub keep: Option<&'a str>,
    /// The one that replaces it.
    pub force: &'a str,
}

/// What lies there is newer.
pub fn older_archive(archive: &str, node: &str, all: &[Older], ways: &Ways<'_>) -> Error {
    let error = Error::new(format!("{archive} is older than what lies on {}: nothing was changed", named(node)));
    let error = all.iter().fold(error, |error, one| error.because(older(one)));
    let again = format!("kpki export {} --dir DIR --out {}", shell_word(node), shell_path(format!("{node}.tar.gz")));
    if all.iter().all(|one| matches!(one, Older::Revision { .. })) {
        return error
            .hint("it was packed before the other one, or from a cluster directory that was restored or made anew")
            .hint("in the latter case see what it would replace with --force --dry-run, and unpack it with --force");
    }
    let is_list = |one: &Older| matches!(one, Older::List { .. });
    let error = if all.iter().any(is_list) { merged(error, node, ways.dir) } else { error };
    // A node that kept its list would not learn what the archive's revokes.
    let error = match ways.keep.filter(|_| !all.iter().all(is_list)) {
        Some(keep) => error.hint(format!(
            "where the node renews itself (caKeys: control-plane), keep what is newer here, and take all else: {keep}"
        )),
        None => error,
    };
    let error = match all.iter().all(is_list) {
        true => error,
        false => error
            .hint("renew it on the host with the cluster directory (kpki renew), which makes what is newer than both"),
    };
    error
        .hint(format!("then export it again there: {again}"))
        .hint(format!("go back to the archive's certificates; a CRL is never replaced by an older one: {}", ways.force))
}

/// A list on a node may revoke what the archive's does not: the next issue has the entries of both.
fn merged(error: Error, node: &str, dir: &Path) -> Error {
    let (file, dir, node) = (shell_path(format!("{node}.json")), shell_path(dir), shell_word(node));
    error
        .hint(format!("its list may revoke more; make its receipt here: kpki export --verify {node} --receipt -o json --dir {dir}"))
        .hint(format!("bring that to the host with the cluster directory as {file}, which signs a list of both: kpki nodes merge {file} --dir DIR"))
}

/// One difference.
pub fn older(one: &Older) -> String {
    match one {
        Older::Revision { held, given } => {
            format!("an archive of revision {held} of the same cluster was unpacked there, this one is {given}")
        }
        Older::Certificate { entry, held, given } => {
            format!("{entry} there begins {}, the archive's {}", rfc3339(*held), rfc3339(*given))
        }
        Older::List { authority, held, given } if held == given => {
            format!("{} there is another list than the archive's, both have {}", list(*authority), number(held))
        }
        Older::List { authority, held, given } => {
            format!("{} there has {}, the archive's {}", list(*authority), number(held), number(given))
        }
    }
}

fn list(authority: CaId) -> String {
    format!("the CRL of {}", authority.name())
}

fn number(number: &Option<Number>) -> String {
    match number {
        Some(number) => format!("the number {}", decimal(&[&[0], number.magnitude()].concat())),
        None => "no number".to_owned(),
    }
}
