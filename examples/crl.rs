//! The CRL code by itself on CRLs of any size, as a separate process, for `benches/crl.sh`.
//!
//! `crl make ENTRIES DIR` writes ca.crt, ca.key, ca.crl (PEM) and ca.der; `crl leaves COUNT DIR` writes
//! as many certificates to leaves.pem; `crl check FILE CA COUNT` looks COUNT certificates
//! up and verifies the signature; `crl add FILE DIR OUT` adds one entry and writes PEM.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use kpki::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Role};
use kpki::ca::{self, Changes, Issuer, PrivateKey};
use kpki::encoding::crl::LABEL;
use kpki::encoding::pem_stream::{Event, Stream};
use kpki::revocation::{CrlIssue, Number, Reason, RevocationList, Revoked};
use kpki::x509::revocation::{CrlIssuer, Strictness, status, vet};
use kpki::x509::verify::Algorithms;
use kpki::x509::{Certificate, CrlLookup, Wanted, parse_pem_bundle};
use time::OffsetDateTime;
use time::macros::datetime;

type Done<T> = Result<T, Box<dyn std::error::Error>>;

const AT: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

#[allow(clippy::disallowed_methods)] // a separate program
fn main() -> Done<()> {
    let arguments: Vec<String> = std::env::args_os().filter_map(|text| text.into_string().ok()).collect();
    let said = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "make", entries, dir] => make(entries.parse()?, Path::new(dir)),
        [_, "check", file, ca, count] => check(Path::new(file), Path::new(ca), count.parse()?),
        [_, "leaves", count, dir] => leaves(count.parse()?, Path::new(dir)),
        [_, "add", file, dir, out] => add(Path::new(file), Path::new(dir), Path::new(out)),
        _ => Err("usage: crl make ENTRIES DIR | leaves COUNT DIR | check FILE CA COUNT | add FILE DIR OUT".into()),
    }?;
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

/// 16 octets, scattered as random ones are.
fn serial(index: u64) -> Vec<u8> {
    let scattered = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [high, low] = [scattered >> 1 | 1 << 62, scattered.rotate_left(23)].map(u64::to_be_bytes);
    [high, low].concat()
}

fn edition(number: u64) -> CrlIssue {
    CrlIssue { number: Number::from(number), this_update: AT, next_update: datetime!(2026-12-20 12:00 UTC) }
}

fn revoked(index: u64) -> Revoked {
    let reason = Some(Reason::KeyCompromise);
    Revoked { serial: serial(index), at: AT, reason, invalid_since: None, other: Vec::new() }
}

fn make(entries: u64, dir: &Path) -> Done<String> {
    let key = PrivateKey::generate(Algorithm::Rsa2048)?;
    let blueprint = Blueprint {
        subject: Name::of("kubernetes", &[]),
        not_before: AT,
        not_after: datetime!(2036-11-20 12:00 UTC),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    };
    let signed = ca::self_sign(&blueprint, &key)?;
    File::create(dir.join("ca.key"))?.write_all(key.to_pem().as_bytes())?;
    File::create(dir.join("ca.crt"))?.write_all(signed.pem.as_bytes())?;
    let issuer = Issuer::new(vec![signed.certificate], key)?;
    let list = RevocationList { edition: edition(1), revoked: (0..entries).map(revoked).collect() };
    let signed = ca::sign_crl(&list, &issuer)?;
    File::create(dir.join("ca.der"))?.write_all(&signed.der)?;
    File::create(dir.join("ca.crl"))?.write_all(signed.to_pem().as_bytes())?;
    Ok(format!("{} bytes of DER", signed.der.len()))
}

/// The DER of the first CRL in a file, which is never in memory as PEM.
fn read(path: &Path) -> Done<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len())?;
    let mut buffer = vec![0; 1 << 18];
    let mut length = file.read(&mut buffer)?;
    if buffer.first() == Some(&0x30) {
        let mut der = Vec::with_capacity(size + 1);
        der.extend_from_slice(buffer.get(..length).unwrap_or_default());
        file.read_to_end(&mut der)?;
        return Ok(der);
    }
    let mut der = Vec::with_capacity(size / 65 * 48 + 64);
    let mut end = None;
    let mut on = |event: Event<'_>| match event {
        Event::Der(more) if end.is_none() => der.extend_from_slice(more),
        Event::End(how) => end = end.or(Some(how)),
        _ => {}
    };
    let mut stream = Stream::new(LABEL);
    while length > 0 {
        stream.feed(buffer.get(..length).unwrap_or_default(), &mut on);
        length = file.read(&mut buffer)?;
    }
    stream.finish(&mut on);
    end.ok_or("no CRL")??;
    Ok(der)
}

/// As many certificates in one file.
fn leaves(count: u64, dir: &Path) -> Done<String> {
    let mut key = Vec::new();
    File::open(dir.join("ca.key"))?.read_to_end(&mut key)?;
    let issuer = Issuer::new(vec![authority(&dir.join("ca.crt"))?], PrivateKey::from_pem(&key)?)?;
    let key = PrivateKey::generate(Algorithm::EcdsaP256)?.spki_der();
    let blueprint = Blueprint {
        subject: Name::of("client", &[]),
        not_before: AT,
        not_after: datetime!(2027-11-20 12:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    };
    let mut file = File::create(dir.join("leaves.pem"))?;
    for _ in 0..count {
        file.write_all(ca::issue(&blueprint, &key, &issuer)?.pem.as_bytes())?;
    }
    Ok(format!("{count} certificates"))
}

fn authority(path: &Path) -> Done<Certificate> {
    let mut text = Vec::new();
    File::open(path)?.read_to_end(&mut text)?;
    Ok(parse_pem_bundle(&text)?.swap_remove(0))
}

/// Half of the certificates are in the CRL.
fn check(file: &Path, ca: &Path, count: u64) -> Done<String> {
    let ca = authority(ca)?;
    let certificates: Vec<Certificate> = (0..count)
        .map(|index| {
            let number = if index % 2 == 0 { index } else { index + (1 << 40) };
            Certificate { serial: serial(number), issuer: ca.subject.clone(), ..ca.clone() }
        })
        .collect();
    let wanted = Wanted::new(certificates.iter().map(|certificate| certificate.serial.as_slice()));
    let der = read(file)?;
    let listed = CrlLookup::read(&der, &wanted)?;
    let authority =
        CrlIssuer { issuer: &ca, delegates: &[], strictness: Strictness::Strict, algorithms: Algorithms::Kubernetes };
    let vetted = [vet(&listed, &der, authority, AT)];
    let mut said = std::collections::BTreeMap::new();
    for certificate in &certificates {
        let answer = status(certificate, &ca, &vetted);
        let word = format!("{:?}", answer.status).split(['(', ' ']).next().unwrap_or_default().to_owned();
        *said.entry(word).or_insert(0) += 1;
    }
    Ok(format!("{} entries, {said:?}", listed.crl.entries))
}

fn add(file: &Path, dir: &Path, out: &Path) -> Done<String> {
    let mut key = Vec::new();
    File::open(dir.join("ca.key"))?.read_to_end(&mut key)?;
    let issuer = Issuer::new(vec![authority(&dir.join("ca.crt"))?], PrivateKey::from_pem(&key)?)?;
    let before = read(file)?;
    let addition = [revoked(1 << 41)];
    let changes = Changes { additions: &addition, removals: &[] };
    let signed = ca::resign_crl(&before, changes, &edition(2), &issuer)?;
    drop(before);
    File::create(out)?.write_all(signed.to_pem().as_bytes())?;
    Ok(format!("{} entries", signed.crl.entries))
}
