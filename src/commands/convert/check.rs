//! What was made is read again before anybody sees it.

use crate::encoding::base64;
use crate::encoding::yaml::{self, field, text};
use crate::encrypted::pkcs12::{self, Bag};
use crate::error::Error;
use crate::kubeconfig::{self, Credentials};
use crate::workspace::passwords::NoPasswords;

use super::load::load;
use super::object::Thing;

fn differs(what: &str) -> Error {
    Error::new(format!("{what} does not read back as what was converted; nothing was written"))
        .hint("report this: it is a fault in kpki")
}

/// PEM or DER holds exactly these.
pub fn things(bytes: &[u8], expected: &[&Thing]) -> Result<(), Error> {
    let found = load("the result", bytes, &mut NoPasswords).map_err(|_| differs("the result"))?;
    if found.objects.iter().map(|object| &object.thing).eq(expected.iter().copied()) {
        Ok(())
    } else {
        Err(differs("the result"))
    }
}

pub fn pkcs12(bytes: &[u8], password: &str, expected: &[Bag]) -> Result<(), Error> {
    match pkcs12::open(bytes, Some(password)) {
        Ok(found) if found.checked && found.bags == expected => Ok(()),
        _ => Err(differs("the PKCS#12 file")),
    }
}

/// A kubeconfig with these three PEMs.
pub fn kubeconfig(bytes: &[u8], authority: &str, certificate: &str, key: &str) -> Result<(), Error> {
    let found = kubeconfig::read(bytes).map_err(|_| differs("the kubeconfig"))?;
    match found.credentials {
        Credentials::Embedded { certificate: cert, key: secret }
            if found.authority == authority.as_bytes()
                && cert == certificate.as_bytes()
                && secret.as_slice() == key.as_bytes() =>
        {
            Ok(())
        }
        _ => Err(differs("the kubeconfig")),
    }
}

/// A Secret, the first document, with these fields.
pub fn secret(manifest: &[u8], expected: &[(&str, &[u8])]) -> Result<(), Error> {
    let stream = yaml::read(manifest);
    let data = stream.documents.first().filter(|_| stream.faults.is_empty()).and_then(|secret| field(secret, "data"));
    let fits = |(key, bytes): &(&str, &[u8])| {
        let found = data.and_then(|data| text(data, key)).map(|found| base64::decode(found.as_bytes()));
        matches!(found, Some(Ok(found)) if found.as_slice() == *bytes)
    };
    if expected.iter().all(fits) { Ok(()) } else { Err(differs("the manifest")) }
}
