//! What one file becomes: its objects in another framing, its keys in another container, its public halves, its parts.

use zeroize::Zeroizing;

use crate::encoding::key::Container;
use crate::encrypted::pkcs8;
use crate::error::Error;
use crate::random::random;
use crate::workspace::passwords::{Asking, Passwords};

use super::load::{Loaded, unlocked};
use super::object::{Object, Thing};
use super::request::{Form, Output, Request};
use super::sources::Source;
use super::{check, names};

/// Nothing where the file holds nothing this form is about.
pub fn of_file(
    request: &Request,
    source: &Source,
    loaded: &Loaded,
    among_others: bool,
    passwords: &mut dyn Passwords,
    notes: &mut Vec<String>,
) -> Result<Vec<Output>, Error> {
    let der = request.der || request.form == Form::Der;
    match request.form {
        Form::Parts => parts(source, loaded, among_others, der),
        form => {
            let things = picked(form, source, loaded, passwords)?;
            let left = loaded.objects.len().saturating_sub(things.len());
            // A public half may stand for a certificate and its key.
            if !things.is_empty() && left > 0 && form != Form::Spki {
                notes.push(format!(
                    "{}: skipped {left} of {} objects: not private keys",
                    source.name,
                    loaded.objects.len()
                ));
            }
            let things: Vec<&Thing> = things.iter().collect();
            if der {
                return in_der(request.form, source, &things);
            }
            let path = if form == Form::Spki { names::public(&source.path) } else { names::pem(&source.path) };
            Ok(if things.is_empty() { Vec::new() } else { vec![in_pem(source, path, &things)?] })
        }
    }
}

/// Why a file has nothing for this form.
pub fn nothing_for(form: Form, name: &str, loaded: &Loaded) -> Error {
    let wanted = match form {
        Form::Spki => "something with a public key",
        _ => "a private key",
    };
    let found = loaded.objects.first().map_or("nothing", |object| object.thing.kind());
    Error::new(format!("{name}: expected {wanted}, found {found}"))
}

/// The things a form is about, in that form.
fn picked(form: Form, source: &Source, loaded: &Loaded, passwords: &mut dyn Passwords) -> Result<Vec<Thing>, Error> {
    if matches!(form, Form::Pem | Form::Der) {
        return Ok(loaded.objects.iter().map(|object| object.thing.clone()).collect());
    }
    let mut picked: Vec<Thing> = Vec::new();
    for object in &loaded.objects {
        let thing = match &object.thing {
            Thing::Crl(_) => continue,
            other if form != Form::Spki && !other.is_secret() => continue,
            other => unlocked(&source.name, other, passwords)?,
        };
        let made = match &thing {
            _ if form == Form::Spki => Thing::PublicKey(thing.public().ok_or_else(|| {
                Error::new(format!("{}: the public key of the {} is unknown", source.name, thing.kind()))
            })?),
            Thing::Key(key) => {
                let failed = |why| Error::new(format!("{}: {why}", source.name));
                let (container, lock) = match form {
                    Form::Pkcs1 => (Container::Pkcs1, false),
                    Form::Sec1 => (Container::Sec1, false),
                    _ => (Container::Pkcs8, form == Form::EncryptedPkcs8),
                };
                let key = key.recast(container).map_err(failed)?;
                if lock { locked(key.der(), passwords)? } else { Thing::Key(key) }
            }
            _ => continue,
        };
        // The key, its certificate and its request have one public half.
        if !picked.contains(&made) {
            picked.push(made);
        }
    }
    Ok(picked)
}

/// The password for what is written; there has to be one.
pub fn output_password(passwords: &mut dyn Passwords) -> Result<Zeroizing<String>, Error> {
    passwords.ask(Asking::Output)?.ok_or_else(|| {
        Error::usage("the result is to be encrypted, and no password is given for it").hint(
            "give it with --out-password-file FILE or --out-password-env VARIABLE (an empty one by an empty file), or run \
             on a terminal to be asked",
        )
    })
}

fn locked(pkcs8: &[u8], passwords: &mut dyn Passwords) -> Result<Thing, Error> {
    let password = output_password(passwords)?;
    let failed = |why| Error::new("cannot encrypt the key").because(why);
    let sealed = pkcs8::seal(pkcs8, &password, &random()?, &random()?).map_err(failed)?;
    match pkcs8::open(&sealed, Some(&password)) {
        Ok(again) if again.as_slice() == pkcs8 => Ok(Thing::LockedKey(sealed)),
        _ => Err(Error::new("the encrypted key does not open again; nothing was written")),
    }
}

fn secret(things: &[&Thing]) -> bool {
    things.iter().any(|thing| thing.is_secret())
}

/// `certificate`, `2 certificates, PKCS#8 private key`.
pub fn words(things: &[&Thing]) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for thing in things {
        match counted.iter_mut().find(|(kind, _)| *kind == thing.kind()) {
            Some((_, count)) => *count += 1,
            None => counted.push((thing.kind(), 1)),
        }
    }
    let words = counted.iter().map(|(kind, count)| match count {
        1 => (*kind).to_owned(),
        count => format!("{count} {kind}s"),
    });
    words.collect::<Vec<_>>().join(", ")
}

pub fn pem_of(things: &[&Thing]) -> Zeroizing<Vec<u8>> {
    let blocks: Vec<_> = things.iter().map(|thing| thing.pem()).collect();
    // Of final size from the start: a vector that grows would leave copies of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(blocks.iter().map(|block| block.len()).sum()));
    blocks.iter().for_each(|block| bytes.extend_from_slice(block.as_bytes()));
    bytes
}

pub fn in_pem(source: &Source, path: String, things: &[&Thing]) -> Result<Output, Error> {
    let bytes = pem_of(things);
    check::things(&bytes, things)?;
    let from = source.name.clone();
    Ok(Output { path, bytes, secret: secret(things), binary: false, holds: words(things), from })
}

fn one_der(source: &Source, path: String, thing: &Thing) -> Result<Output, Error> {
    let bytes = Zeroizing::new(thing.der().to_vec());
    check::things(&bytes, &[thing])?;
    let (holds, from) = (thing.kind().to_owned(), source.name.clone());
    Ok(Output { path, bytes, secret: thing.is_secret(), binary: true, holds, from })
}

/// DER holds one object: several become several files.
fn in_der(form: Form, source: &Source, things: &[&Thing]) -> Result<Vec<Output>, Error> {
    if let [thing] = things {
        let path = if form == Form::Spki { names::public(&source.path) } else { source.path.clone() };
        return Ok(vec![one_der(source, names::der(&path), thing)?]);
    }
    numbered(source, things, true)
}

fn numbered(source: &Source, things: &[&Thing], der: bool) -> Result<Vec<Output>, Error> {
    let part = |(index, thing): (usize, &&Thing)| {
        let path = names::part(&source.path, index.saturating_add(1), thing.extension());
        match der {
            true => one_der(source, format!("{path}.der"), thing),
            false => in_pem(source, path, &[*thing]),
        }
    };
    things.iter().enumerate().map(part).collect()
}

/// Every object a file: `NAME-1.crt`, `NAME-2.key`. Of a kubeconfig, its three: `ca.crt`, `client.crt`, `client.key`. Of a
/// manifest, its values: `tls.crt`, `tls.key`.
fn parts(source: &Source, loaded: &Loaded, among_others: bool, der: bool) -> Result<Vec<Output>, Error> {
    if (loaded.kubeconfig.is_none() && !loaded.is_manifest) || der {
        return numbered(source, &loaded.objects.iter().map(|object| &object.thing).collect::<Vec<_>>(), der);
    }
    let mut files: Vec<(String, Vec<&Thing>)> = Vec::new();
    for Object { thing, name } in &loaded.objects {
        let part = format!("{}.{}", name.as_deref().unwrap_or_default(), thing.extension());
        match files.iter_mut().find(|(file, _)| *file == part) {
            Some((_, things)) if things.contains(&thing) => {}
            Some((_, things)) => things.push(thing),
            None => files.push((part, vec![thing])),
        }
    }
    let path = |part: &str| match among_others {
        true => format!("{}-{part}", names::stem(&source.path)),
        false => part.to_owned(),
    };
    files.iter().map(|(part, things)| in_pem(source, path(part), things)).collect()
}
