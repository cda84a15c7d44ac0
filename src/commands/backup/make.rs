//! Reads a tree under its lock, packs it, reads it back, encrypts it.

use zeroize::Zeroizing;

use super::request::{Passphrase, Request};
use super::summary::summary;
use crate::clock::rfc3339;
use crate::encrypted::sealed;
use crate::error::Error;
use crate::random::random;
use crate::report::backup::Made;
use crate::workspace::backup::{Contents, Outside, collect, judge};
use crate::workspace::{profiles, recorded};
use crate::x509::sha256;

/// The report, and the bytes of the file: encrypted, or keys.
pub struct Backup {
    pub report: Made,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Backup({} bytes)", self.bytes.len())
    }
}

/// Makes a backup of one state of the tree, in memory.
pub fn run(request: &Request) -> Result<Backup, Error> {
    let outside = request.out.as_deref().map(Outside::of).transpose()?;
    let tree = recorded::tree(&request.dir, request.kubelet_dir.as_deref())?;
    // What an interrupted run left is finished first; others wait only while the tree is read.
    let locked = tree.lock(request.run.lock_wait)?;
    let cluster = profiles::recorded(&request.dir).ok().flatten().map(|(_, profile)| profile.cluster_name);
    let collected = collect(&tree.roots, outside);
    drop(locked);
    let mut collected = collected?;
    collected.manifest.time = rfc3339(request.run.now);
    collected.manifest.cluster_name = cluster;
    let mtime = u64::try_from(request.run.now.unix_timestamp()).unwrap_or(0);
    let archive = collected.pack(mtime)?;
    drop(collected);
    let contents = read_back(&archive)?;
    let judged = judge(&contents, request.keys.as_deref().map(String::as_str));
    if judged.judgement.authorities.is_empty() && judged.cluster.is_none() {
        return Err(Error::new(format!("{} is no tree: nothing was written", request.dir.display()))
            .because("it has neither an authority nor a recorded profile")
            .hint("give the directory of kpki init, or a node's /etc/kubernetes, with --dir"));
    }
    let summary = summary(&contents.manifest, &judged);
    drop(contents);
    let (bytes, encrypted) = match &request.passphrase {
        Passphrase::Unencrypted => (archive, false),
        Passphrase::Given(password) => (sealed_again(archive, password.as_str())?, true),
    };
    let out = request.out.as_ref().map_or_else(|| "standard output".to_owned(), |out| out.display().to_string());
    Ok(Backup { report: Made { out, bytes: bytes.len(), encrypted, summary }, bytes })
}

fn read_back(archive: &[u8]) -> Result<Contents<'_>, Error> {
    Contents::read(archive).map_err(|why| {
        Error::new("the backup differs from the files that were packed").because(why).hint("report this as a bug")
    })
}

/// Encrypts it, and opens it once more: who needs a backup cannot make another.
fn sealed_again(archive: Zeroizing<Vec<u8>>, password: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = || Error::new("cannot encrypt the backup");
    let digest = sha256(&archive);
    let sealed = sealed::seal(archive, password, sealed::COST, &random()?, &random()?);
    let sealed = Zeroizing::new(sealed.map_err(|why| failed().because(why))?);
    let opened = sealed::open(sealed.clone(), password).map_err(|why| failed().because(why))?;
    if sha256(&opened) != digest {
        return Err(failed().because("it opens to other bytes").hint("report this as a bug"));
    }
    Ok(sealed)
}
