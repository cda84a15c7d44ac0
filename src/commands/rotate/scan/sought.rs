//! What is sought: by the record of the tree, or the files of the command line.

use std::path::{Path, PathBuf};

use super::super::context::{certificates, public_keys};
use crate::encoding::contents::Contents;
use crate::encoding::embedded::{self, Piece};
use crate::error::Error;
use crate::files::{FileState, read_input, shell_path};
use crate::plan::rotate::scan::{Authority, Question, Sought, TokenKeys};
use crate::tree::rotation::{Identity, Phase, Rotating};
use crate::workspace::rotation::record;
use crate::workspace::survey::LARGEST_INPUT;
use crate::workspace::{TreeArgs, targets};
use crate::x509::Certificate;

/// The certificates and public keys of a file.
#[derive(Default)]
struct Given {
    authorities: Vec<Certificate>,
    keys: Vec<Vec<u8>>,
}

/// What is being rotated in the tree, and what was and may still be somewhere; with warnings about the tree.
pub fn of_record(args: &TreeArgs) -> Result<(Sought, Vec<String>), Error> {
    let (target, warnings) = targets::one(args)?;
    let record = record::read(&target.roots(&target.root))?;
    if record.is_empty() {
        return Err(Error::new(format!("{}: nothing is being rotated", target.root.display()))
            .hint("say what is sought: --old FILE, the certificate of the old authority or the old sa.pub"));
    }
    let mut sought = Sought::default();
    for rotation in &record.rotations {
        let question = match rotation.phase {
            Phase::Prepared => Question::TrustsNew,
            Phase::Switched | Phase::Emergency => Question::SignedByOld,
        };
        add(&mut sought, rotation.authority, question, (&rotation.old, &rotation.new));
    }
    for retired in &record.retired {
        add(&mut sought, retired.authority, Question::AnyOld, (&retired.old, &retired.new));
    }
    Ok((sought, warnings))
}

/// Of a chain only the signer: what stands above it may be above the new one, too.
fn add(sought: &mut Sought, rotating: Rotating, question: Question, (old, new): (&[Identity], &[Identity])) {
    let first = |all: &[Identity]| certificates(all.get(..1).unwrap_or_default());
    let name = rotating.name().to_owned();
    match rotating {
        Rotating::Authority(_) => {
            sought.authorities.push(Authority { name, question, old: first(old), new: first(new) });
        }
        Rotating::ServiceAccount => {
            sought.token_keys.push(TokenKeys { question, old: public_keys(old), new: public_keys(new) });
        }
    }
}

/// `new`: one file for each of `old`, in the same order, or none.
pub fn of_files(old: &[PathBuf], new: &[PathBuf]) -> Result<Sought, Error> {
    if !new.is_empty() && new.len() != old.len() {
        let (old, new) = (old.len(), new.len());
        return Err(Error::usage(format!("expected a --new for each --old, found {old} --old and {new} --new"))
            .hint("give them in the same order, an authority and its successor"));
    }
    let question = if new.is_empty() { Question::AnyOld } else { Question::TrustsNew };
    let mut sought = Sought::default();
    let mut keys = TokenKeys { question, old: Vec::new(), new: Vec::new() };
    for (index, path) in old.iter().enumerate() {
        let old = read(path)?;
        let mut new = new.get(index).map(|path| read(path)).transpose()?.unwrap_or_default();
        keys.old.extend(old.keys);
        keys.new.append(&mut new.keys);
        let Some(name) = old.authorities.first().map(name) else { continue };
        sought.authorities.push(Authority { name, question, old: old.authorities, new: new.authorities });
    }
    sought.token_keys.extend((!keys.old.is_empty()).then_some(keys));
    Ok(sought)
}

fn name(authority: &Certificate) -> String {
    authority.common_name().unwrap_or_else(|| authority.subject.to_string())
}

fn read(path: &Path) -> Result<Given, Error> {
    let shown = path.display();
    let hint = || format!("look at what it holds: kpki inspect {}", shell_path(path));
    let FileState::File { bytes, .. } = read_input(path, LARGEST_INPUT)? else {
        return Err(Error::new(format!("{shown}: expected a file, found none")));
    };
    let mut given = Given::default();
    for piece in embedded::groups(&bytes).into_iter().flat_map(|group| group.pieces) {
        match piece {
            Piece::Certificate(der) => {
                let found = Certificate::parse(&der)
                    .map_err(|why| Error::new(format!("cannot read {shown}")).because(why).hint(hint()))?;
                if !found.is_ca && !found.is_self_issued() {
                    return Err(Error::new(format!("{shown}: expected an authority, found {}", found.subject))
                        .hint("give the certificate of the authority that is replaced, or sa.pub"));
                }
                given.authorities.push(found);
            }
            Piece::PublicKey(spki) => given.keys.push(spki),
            Piece::Unread(why) => {
                return Err(Error::new(format!("cannot read {shown}")).because(why).hint(hint()));
            }
            Piece::Token(_) => {}
        }
    }
    if given.authorities.is_empty() && given.keys.is_empty() {
        let found = Contents::of(&bytes);
        return Err(Error::new(format!("{shown}: expected certificates or public keys, found {found}")).hint(hint()));
    }
    Ok(given)
}
