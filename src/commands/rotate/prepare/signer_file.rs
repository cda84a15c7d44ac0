//! Before ca.crt becomes a bundle, kube-controller-manager has to sign with ca-signer.crt: it accepts exactly one certificate there.

use zeroize::Zeroizing;

use super::super::context::{Context, Planned};
use super::super::request::{PrepareOptions, SignerFile};
use super::{again, ready};
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{self, RelPath};
use crate::plan::rotate::{Known, Seen, known, number_of};
use crate::plan::signer_file::{edited, is_the_signer};
use crate::store::FileChange;
use crate::tree::file;
use crate::tree::rotation::{Identity, Rotating};
use crate::workspace::record;
use crate::workspace::rotation::journal::RotationLine;
use crate::workspace::rotation::signing::{self, Signing};

/// Whether the bundles may be written now. If not, `planned` writes ca-signer.crt alone, and says what to change on which node.
///
/// # Errors
/// What was asked for contradicts a manifest, or cannot be done to it.
pub(super) fn is_ready(
    context: &Context<'_>,
    options: &PrepareOptions,
    named: &[Rotating],
    planned: &mut Planned,
) -> Result<bool, Error> {
    let in_use = options.signer_file == SignerFile::InUse;
    let nodes = signing::nodes(context.session, &context.snapshot)?;
    let seen = |one: &Signing| known(&one.node, in_use).err();
    let open: Vec<(&Signing, Seen)> = nodes.iter().filter_map(|one| Some((one, seen(one)?))).collect();
    if open.is_empty() {
        let by_word = nodes.iter().filter(|one| known(&one.node, in_use) == Ok(Known::Word)).count();
        if by_word > 0 {
            planned.warnings.push(format!(
                "by your word {by_word} of {} control-plane nodes sign with ca-signer.crt: one that does not stops signing now",
                nodes.len()
            ));
        }
        return Ok(true);
    }
    match options.signer_file {
        SignerFile::InUse => Err(contradicted(context, options, &open)),
        SignerFile::Edit => {
            for (one, seen) in &open {
                planned.signing.push(edit(context, options, one, seen)?);
            }
            Ok(true)
        }
        SignerFile::Seen => {
            alone(context, options, named, &nodes, &open, planned)?;
            Ok(false)
        }
    }
}

fn contradicted(context: &Context<'_>, options: &PrepareOptions, open: &[(&Signing, Seen)]) -> Error {
    let manifests: Vec<String> = open.iter().map(|(one, _)| one.path.display().to_string()).collect();
    let again = again::again(context, options, &["--edit-manifest"]);
    Error::new(format!("--signer-file-in-use contradicts {}", manifests.join(", ")))
        .because("its kube-controller-manager signs with ca.crt, which has to stay one certificate for that")
        .hint(format!("have it changed in the same step: {again}"))
}

/// The manifest with that argument changed.
fn edit(context: &Context<'_>, options: &PrepareOptions, one: &Signing, seen: &Seen) -> Result<FileChange, Error> {
    let by_hand = || again::again(context, options, &["--signer-file-in-use"]);
    let path = one.path.display();
    let Some(manifest) = one.manifest.as_ref().filter(|_| matches!(seen, Seen::Manifest(_) | Seen::Unreadable)) else {
        return Err(Error::new(format!("there is nothing to edit: {path} is not here"))
            .because(one.node.to_do(seen))
            .hint(format!("leave --edit-manifest out, and change it on the node; when that is done: {}", by_hand())));
    };
    files::trusted(&one.path)?;
    let bytes = edited(&manifest.bytes, &one.node.certificates_dir).map_err(|why| {
        Error::new(format!("cannot change {path} exactly: nothing was written"))
            .because(why)
            .hint(format!("leave --edit-manifest out, and change it by hand; when that is done: {}", by_hand()))
    })?;
    let (root, path) = (one.manifest_place.root_id(), RelPath::parse(one.manifest_place.path.as_str())?);
    Ok(FileChange { root, path, mode: manifest.mode, bytes: Zeroizing::new(bytes), replace: true })
}

/// ca-signer.crt and nothing else, with what to do on each node.
fn alone(
    context: &Context<'_>,
    options: &PrepareOptions,
    named: &[Rotating],
    nodes: &[Signing],
    open: &[(&Signing, Seen)],
    planned: &mut Planned,
) -> Result<(), Error> {
    let Some(signer) = context.snapshot.certificate(CaId::Cluster) else { return Ok(()) };
    for one in nodes {
        let there = file(&context.snapshot.survey, Some(&one.place));
        if !there.is_some_and(|there| is_the_signer(there, signer)) {
            planned.signing.push(one.place.change(0o644, Zeroizing::new(signer.to_pem().into_bytes()))?);
            planned.signing_ids.push(one.id.clone());
        }
    }
    if !planned.signing.is_empty() {
        planned.own.extend(manifest(context)?);
        let rotating = Rotating::Authority(CaId::Cluster);
        let (old, number) = (vec![Identity::of_certificate(signer)], number_of(&signer.subject));
        let details = planned.signing_ids.iter().map(ToString::to_string).collect();
        let now = context.request.run.now;
        planned.journal.push(RotationLine::line("rotate-signer-file", (rotating, number), (&old, &[]), details, now));
    }
    planned.left.extend(open.iter().map(|(one, seen)| one.node.to_do(seen)));
    planned.left.extend(open.first().map(|(one, _)| one.node.configuration()));
    let names: Vec<&str> = named.iter().map(|one| one.name()).collect();
    let is_read = open.iter().all(|(_, seen)| matches!(seen, Seen::Manifest(_)));
    let (when, more): (&str, &[&str]) = match (is_read, ready::is_cluster(context)) {
        (true, _) => ("when the manifest says so", &[]),
        (false, true) => {
            ("when it is so on every node (the receipts of the nodes show it, too)", &["--signer-file-in-use"])
        }
        (false, false) => ("when it is so", &["--signer-file-in-use"]),
    };
    let again = again::again(context, options, more);
    planned.left.push(format!("nothing else is prepared in this run, of {}; {when}: {again}", names.join(", ")));
    if is_read {
        planned.left.push(format!(
            "or have the manifest changed in that run: {}",
            again::again(context, options, &["--edit-manifest"])
        ));
    }
    Ok(())
}

/// A cluster directory's list of files, with ca-signer.crt in it; `None`: it has that already, or is no such directory.
pub(super) fn manifest(context: &Context<'_>) -> Result<Option<FileChange>, Error> {
    let session = context.session;
    match (session.profile(), &session.layout) {
        (Some(profile), Some(layout)) if session.is_exported() => {
            record::with_signer_files(profile, layout, &session.tree)
        }
        _ => Ok(None),
    }
}
