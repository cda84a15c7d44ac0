//! The switch to an authority whose key is not here: requests for everything that it has to sign wait beside the tree, where `kpki
//! import` keeps what it has signed. When all is there, the switch puts it in place in one transaction.

use zeroize::Zeroizing;

use super::context::{Context, Planned, certificates};
use super::make::Following;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::renew::{self as plan, Credential, CsrDecision, CsrTemplate, Decision, Skipped};
use crate::store::RootId;
use crate::tree::rotation::{KeyPlace, Kubelets, Phase, Rotating, Rotation};
use crate::tree::{Place, file};
use crate::workspace::requests::{External, Site};
use crate::workspace::rotation::ahead::{self, Answer};
use crate::workspace::rotation::change::{self, Content, Target};
use crate::workspace::rotation::record::{self, Kept};
use crate::workspace::rotation::{files, prior};

/// What has to be signed for one entry.
struct Wanted<'a> {
    credential: &'a Credential,
    template: CsrTemplate,
    is_unfit: bool,
}

/// Whether everything is signed by the new one, and then with what the switch writes; else requests are made, and it is said what they
/// wait for. `content`: of the authority's files, as the switch writes them.
pub(super) fn is_signed(
    context: &Context<'_>,
    authority: CaId,
    (rotation, content): (&mut Rotation, Content),
    planned: &mut Planned,
) -> Result<bool, Error> {
    let session = context.session;
    let alone = Planned {
        targets: vec![Target { content, key: None }],
        reissue: vec![authority],
        kubelets: planned.kubelets,
        ..Planned::default()
    };
    let after = session.tree.with(change::authorities(session, &context.snapshot, &alone.targets, &[])?.survey);
    let following = Following::of(session, &context.snapshot, &after, &alone)?;
    let rules = session.identity_rules(false);
    let (mut given, mut waiting, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (credential, decision) in following.decided() {
        match decision {
            // The new certificate of a kubelet that rotates its own is asked for by the kubelet.
            Decision::Skipped(Skipped::KubeletRotates(_) | Skipped::KubeletUsesItsOwn, _) => {
                rotation.kubelets = rotation.kubelets.map(|_| Kubelets::Wait);
            }
            Decision::Skipped(Skipped::External(_) | Skipped::ExternalInWindow(_), _) => {
                let (authorities, survey) = (&after.authorities, &after.survey);
                match plan::ask(credential, &session.credentials, authorities, survey, &rules) {
                    CsrDecision::CsrTemplate(template) => {
                        match ahead::answer(session, (credential, authority), &template, &after)? {
                            Answer::Signed(made) => given.push(*made),
                            answer => waiting.push(Wanted {
                                credential,
                                template: *template,
                                is_unfit: matches!(answer, Answer::Unfit),
                            }),
                        }
                    }
                    CsrDecision::Skipped(_) | CsrDecision::Absent => unknown.push(credential.id.to_string()),
                }
            }
            _ => {}
        }
    }
    if waiting.is_empty() {
        // The requests have done their duty.
        planned.removals.extend(requests(context, authority, true)?);
        planned.given.extend(given);
        return Ok(true);
    }
    say(context, (authority, rotation), (given.len(), &waiting, &unknown), planned);
    ask(context, waiting, planned)?;
    Ok(false)
}

fn say(
    context: &Context<'_>,
    (authority, rotation): (CaId, &Rotation),
    (signed, waiting, unknown): (usize, &[Wanted<'_>], &[String]),
    planned: &mut Planned,
) {
    let (session, rotating) = (context.session, rotation.authority);
    let origin = &session.target.origin;
    let subject = certificates(&rotation.new).first().map(|one| one.subject.to_string()).unwrap_or_default();
    let names = |of: fn(&Wanted<'_>) -> bool| {
        waiting.iter().filter(|one| of(one)).map(|one| one.credential.id.to_string()).collect::<Vec<_>>()
    };
    planned.left.push(format!(
        "{rotating} stays prepared, and nothing in use changes: {signed} of {} certificates are signed by {subject}",
        signed + waiting.len()
    ));
    let all = names(|_| true).join(", ");
    planned.left.push(match session.profile().and_then(|profile| profile.issuer(authority)) {
        Some(issuer) => format!(
            "to be signed by {}: {all}; it is asked by: {}",
            issuer.command.first().map_or("", String::as_str),
            origin.command("renew", &["all"], &["--due"])
        ),
        None => format!(
            "to be signed, from the requests in {}: {all}; then, for each: {}",
            session.tree.roots.main.join(".kpki/requests").display(),
            origin.command("import", &["CERT"], &[])
        ),
    });
    let unfit = names(|one| one.is_unfit);
    if !unfit.is_empty() {
        planned.left.push(format!(
            "what was signed for these is not what is requested now, or has ended: {}; have it signed again",
            unfit.join(", ")
        ));
    }
    if !unknown.is_empty() {
        planned.left.push(format!("no request can be made for {}; their owners have to act", unknown.join(", ")));
    }
    planned.left.push(format!("when all are here: {}", origin.command("rotate switch", &[rotating.name()], &[])));
}

fn ask(context: &Context<'_>, waiting: Vec<Wanted<'_>>, planned: &mut Planned) -> Result<(), Error> {
    if !context.is_making() {
        return Ok(());
    }
    let one = |one| {
        let Wanted { credential, template, .. } = one;
        (&credential.id, &credential.public, credential.private.as_ref(), template)
    };
    let wanted = waiting.into_iter().map(one).collect();
    let external = External { site: Site::Tree(context.session.tree.roots.clone()), wanted };
    let made = external.make(context.request.run.threads, &mut |_, _| ())?;
    planned.own.extend(made.into_iter().flat_map(|one| one.changes));
    Ok(())
}

/// What waits beside the tree for an authority's entries. `keys`: their keys and requests, too.
pub(super) fn requests(context: &Context<'_>, authority: CaId, keys: bool) -> Result<Vec<(RootId, RelPath)>, Error> {
    let mut all = Vec::new();
    for one in ahead::asked(context.session, authority)? {
        let files = one.files;
        if keys {
            all.extend([(files.root, files.key), (files.root, files.request)]);
        }
        if one.is_signed {
            all.push((files.root, files.certificate));
        }
    }
    Ok(all)
}

/// The same where a preparation is taken back. Where the old authority is external as well, the requests may be for that one.
pub(super) fn taken_back(context: &Context<'_>, rotating: Rotating) -> Result<Vec<(RootId, RelPath)>, Error> {
    let Some(authority) = rotating.authority() else { return Ok(Vec::new()) };
    requests(context, authority, context.key(rotating)?.is_some())
}

/// The old one's key, which signs again, with the files that were removed for it; `None`: it was never here.
///
/// # Errors
/// It was here, and is not kept any more.
pub(super) fn previous_key(
    context: &Context<'_>,
    rotation: &Rotation,
    planned: &mut Planned,
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let (rotating, roots) = (rotation.authority, &context.session.tree.roots);
    let previous = record::key(roots, rotating, Kept::Previous)?;
    if previous.is_some() {
        planned.missing.extend(removed_keys(context, rotation)?);
    } else if rotation.old_key == KeyPlace::Here {
        let path = record::key_path(rotating, Kept::Previous)?;
        let origin = &context.session.target.origin;
        return Err(Error::new(format!("the old {rotating} cannot sign again: its key is not here"))
            .because(format!("expected {}", roots.path_of(RootId::State, &path).display()))
            .hint("restore that file from a backup")
            .hint(format!("or go on: {}", origin.command("rotate retire", &[rotating.name()], &[]))));
    }
    Ok(previous)
}

/// The key files that the switch removed, because the new one's key is elsewhere: as its generation tells; else all that belong there.
fn removed_keys(context: &Context<'_>, rotation: &Rotation) -> Result<Vec<Place>, Error> {
    let survey = &context.snapshot.survey;
    let all = files::of(context.session, rotation.authority)?.into_iter();
    let all = all.filter(|one| one.is_key && file(survey, one.public.as_ref()).is_some());
    let missing: Vec<Place> = all.map(|one| one.place).filter(|place| file(survey, Some(place)).is_none()).collect();
    let Some(name) = rotation.generations.get(&Phase::Switched) else { return Ok(missing) };
    let kept = prior::were_there(&context.session.tree, name, missing.clone())?;
    Ok(if kept.is_empty() { missing } else { kept })
}
