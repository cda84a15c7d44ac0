//! Where each authority's key is, without opening any.

use super::copies::on_nodes;
use super::held::{Held, look};
use super::request::ListRequest;
use crate::error::Error;
use crate::report::key::{Copy, Key, Keys};
use crate::workspace::key_copies::KeyFile;
use crate::workspace::key_places::stated_passphrase;
use crate::workspace::{Absent, Session, TreeArgs, targets};

/// Looks without the lock, and runs nothing.
pub fn run(request: &ListRequest) -> Result<Keys, Error> {
    let trees = TreeArgs { dirs: vec![request.dir.clone()], ..TreeArgs::default() };
    let (target, mut warnings) = targets::one(&trees)?;
    let session = Session::open(&trees, &request.run, &target, Absent::Refused)?;
    let found = session.tree.or_interrupted(look(&session))?;
    warnings.extend(session.tree.left_by_interrupted()?);
    let keys = found.iter().map(|held| key(&session, held)).collect::<Result<_, Error>>()?;
    let (directory, cluster) = session.names();
    Ok(Keys { directory, cluster, keys, warnings })
}

fn key(session: &Session<'_>, held: &Held) -> Result<Key, Error> {
    Ok(Key {
        authority: held.authority.name(),
        state: held.place.name(),
        at: held.place.at().map(str::to_owned),
        path: held.own.as_ref().map(|_| held.path.clone()),
        mode: held.own.as_ref().map(|own| format!("{:04o}", own.mode)),
        passphrase: stated_passphrase(session.profile(), held.authority),
        copies: held.copies.iter().chain(&held.strays).map(copy).collect(),
        nodes: on_nodes(session, held)?,
    })
}

fn copy(file: &KeyFile) -> Copy {
    Copy { path: file.shown(), encrypted: file.is_encrypted }
}
