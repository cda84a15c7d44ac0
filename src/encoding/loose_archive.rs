//! Tar files that other programs made, plain or gzipped, as a whole system's `tar` writes them: symlinks and large files among
//! them. Regular files and links come out; what would be a device or leave the archive is refused.

use std::fmt;
use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};
use zeroize::Zeroizing;

use super::archive::{ArchiveError, broken, is_plain, name_of};

/// A larger file is no certificate, key or kubeconfig; it is named, not read.
pub const LARGEST_FILE: u64 = 1 << 20;
/// What is read of all files together.
const LARGEST_SUM: u64 = 32 << 20;
/// Unpacked, with what is passed over: a snapshot of etcd may lie in `/etc/kubernetes/tmp`.
const LARGEST: u64 = 4 << 30;
const MEMBERS: usize = 16384;

/// A member, by its path without `./`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loose {
    pub path: String,
    pub what: LooseKind,
}

#[derive(Clone, PartialEq, Eq)]
pub enum LooseKind {
    File(Zeroizing<Vec<u8>>),
    /// Where it leads, as it stands there.
    Symlink(String),
    /// Another member, by its path.
    Hardlink(String),
    /// Not read.
    Large,
}

/// The content may be a key.
impl fmt::Debug for LooseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(bytes) => write!(f, "File({} bytes)", bytes.len()),
            Self::Symlink(target) => write!(f, "Symlink({target})"),
            Self::Hardlink(target) => write!(f, "Hardlink({target})"),
            Self::Large => f.write_str("Large"),
        }
    }
}

/// Every file and link of an archive.
pub fn read(bytes: &[u8]) -> Result<Vec<Loose>, ArchiveError> {
    // RFC 1952 section 2.3.1.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        members(GzDecoder::new(bytes).take(LARGEST))
    } else {
        members(bytes.take(LARGEST))
    }
}

fn members(plain: impl Read) -> Result<Vec<Loose>, ArchiveError> {
    let mut found: Vec<Loose> = Vec::new();
    let mut sum = 0u64;
    let mut archive = Archive::new(plain);
    for (index, entry) in archive.entries().map_err(broken)?.enumerate() {
        let entry = entry.map_err(broken)?;
        if index >= MEMBERS {
            return Err(ArchiveError::TooMany);
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = name_of(&path);
        let link = || entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let is_plain = is_plain(&name);
        let what = match entry.header().entry_type() {
            EntryType::XGlobalHeader => continue,
            EntryType::Directory if is_plain || matches!(path.as_str(), "." | "./") => continue,
            _ if !is_plain => return Err(ArchiveError::Escapes(path)),
            EntryType::Symlink => LooseKind::Symlink(link().unwrap_or_default()),
            EntryType::Link => {
                let target = link().unwrap_or_default();
                LooseKind::Hardlink(target.strip_prefix("./").unwrap_or(&target).to_owned())
            }
            EntryType::Regular | EntryType::Continuous if entry.size() > LARGEST_FILE => LooseKind::Large,
            EntryType::Regular | EntryType::Continuous => {
                sum = sum.saturating_add(entry.size());
                if sum > LARGEST_SUM {
                    return Err(ArchiveError::TooLarge);
                }
                let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
                let mut bytes = Zeroizing::new(Vec::with_capacity(size));
                let length = entry.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(broken)?;
                if length != size {
                    return Err(ArchiveError::Cut(name));
                }
                LooseKind::File(bytes)
            }
            _ => return Err(ArchiveError::NotPlain(path)),
        };
        found.push(Loose { path: name, what });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tar::{Builder, Header};

    fn header(kind: EntryType, path: &str, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(size);
        header
    }

    fn tar(members: &[(EntryType, &str, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (kind, path, content) in members {
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            let body = if is_link { "" } else { content };
            let mut header = header(*kind, path, u64::try_from(body.len()).unwrap());
            if is_link {
                header.set_link_name(content).unwrap();
            }
            header.set_cksum();
            builder.append(&header, body.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn files_and_links_come_out() {
        let large = "x".repeat(usize::try_from(LARGEST_FILE).unwrap() + 1);
        let bytes = tar(&[
            (EntryType::Directory, "./", ""),
            (EntryType::Directory, "./pki/", ""),
            (EntryType::Regular, "./pki/ca.crt", "c"),
            (EntryType::Symlink, "./current.pem", "/var/lib/kubelet/pki/2.pem"),
            (EntryType::Link, "./same", "./pki/ca.crt"),
            (EntryType::Regular, "./tmp/db", &large),
        ]);
        let found: Vec<String> =
            read(&bytes).unwrap().iter().map(|one| format!("{} {:?}", one.path, one.what)).collect();
        assert_eq!(
            found,
            [
                "pki/ca.crt File(1 bytes)",
                "current.pem Symlink(/var/lib/kubelet/pki/2.pem)",
                "same Hardlink(pki/ca.crt)",
                "tmp/db Large"
            ]
        );
    }

    #[test]
    fn what_leaves_the_archive_or_is_a_device_is_refused() {
        for (kind, path, wanted) in [
            (EntryType::Regular, "/etc/x", ArchiveError::Escapes("/etc/x".to_owned())),
            (EntryType::Regular, "a/../../x", ArchiveError::Escapes("a/../../x".to_owned())),
            (EntryType::Directory, "../", ArchiveError::Escapes("../".to_owned())),
            (EntryType::Char, "null", ArchiveError::NotPlain("null".to_owned())),
            (EntryType::Block, "sda", ArchiveError::NotPlain("sda".to_owned())),
            (EntryType::Fifo, "pipe", ArchiveError::NotPlain("pipe".to_owned())),
        ] {
            assert_eq!(read(&tar(&[(kind, path, "")])), Err(wanted), "{path}");
        }
    }

    #[test]
    fn a_bomb_is_bounded() {
        let file = "x".repeat(usize::try_from(LARGEST_FILE).unwrap());
        let many: Vec<(EntryType, &str, &str)> = (0..40).map(|_| (EntryType::Regular, "a", file.as_str())).collect();
        assert_eq!(read(&tar(&many)), Err(ArchiveError::TooLarge));
    }

    proptest! {
        #[test]
        fn whatever_is_read_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2048), at in 0usize..2048, with in any::<u8>()) {
            let _ = read(&bytes);
            let mut whole = tar(&[(EntryType::Regular, "pki/ca.crt", "c"), (EntryType::Symlink, "l", "pki/ca.crt")]);
            if let Some(byte) = whole.get_mut(at) {
                *byte = with;
            }
            let _ = read(&whole);
        }
    }
}
