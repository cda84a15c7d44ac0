//! Tar files, plain or gzipped: the same members always make the same bytes, and what is read is bounded and keeps to
//! regular files and directories below where it is unpacked.

use std::fmt;
use std::io::Read;

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, EntryType, Header};
use zeroize::Zeroizing;

use crate::encoding::shown::named;

/// One node's files are a hundred kilobytes; unpacked, an archive larger than this is not one.
pub const LIMIT: usize = 8 << 20;
const MEMBERS: usize = 4096;
/// The unit of a tar file (POSIX.1-1988 ustar).
const BLOCK: usize = 512;

/// What goes in; paths are relative, without `/` at the end.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    pub path: &'a str,
    /// Permission bits.
    pub mode: u32,
    /// `None`: a directory.
    pub content: Option<&'a [u8]>,
}

/// The content may be a key.
impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({}, mode {:04o})", self.path, self.mode)
    }
}

/// What came out: regular files only.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    pub path: String,
    pub mode: u32,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The content may be a key.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({}, {} bytes, mode {:04o})", self.path, self.bytes.len(), self.mode)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// ustar has 255 bytes for a path, and breaks it at a slash.
    #[error("expected a path that a tar file has room for, found {}", named(.0))]
    LongPath(String),
    /// The library's own words quote the header, and the file may be a key.
    #[error("expected a tar file, plain or gzipped, found another or a broken one")]
    Broken,
    /// A member that ends before its size.
    #[error("expected a tar file, plain or gzipped: {} ends too soon", named(.0))]
    Cut(String),
    /// Another archive, or anything else, behind the end.
    #[error("expected one tar file, plain or gzipped, and nothing behind its end, found more")]
    Trailing,
    #[error("expected at most {LIMIT} bytes unpacked, found more")]
    TooLarge,
    #[error("expected at most {MEMBERS} members, found more")]
    TooMany,
    /// A link, a device, a pipe.
    #[error("expected regular files and directories, found {} of another kind", named(.0))]
    NotPlain(String),
    /// Absolute, or with `..`: it would be unpacked elsewhere.
    #[error("expected relative paths of plain names, found {}", named(.0))]
    Escapes(String),
    #[error("expected each file once, found {} twice", named(.0))]
    Twice(String),
}

/// A tar file of these members in this order, all root's; `mtime` in seconds since 1970. `gzip`: compressed, with no time,
/// name or system of its own.
pub fn write(members: &[Member<'_>], mtime: u64, gzip: bool) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    // Reserved at once: growing would leave copies of the keys behind.
    let size = |member: &Member<'_>| BLOCK + member.content.map_or(0, |bytes| bytes.len().div_ceil(BLOCK) * BLOCK);
    let size: usize = members.iter().map(size).sum::<usize>() + 2 * BLOCK;
    let mut builder = Builder::new(Vec::with_capacity(size));
    for member in members {
        let header = header(member, mtime)?;
        builder.append(&header, member.content.unwrap_or_default()).map_err(broken)?;
    }
    let plain = Zeroizing::new(builder.into_inner().map_err(broken)?);
    if !gzip {
        return Ok(plain);
    }
    // 255: no system in particular (RFC 1952 section 2.3.1).
    let packed = GzBuilder::new().mtime(0).operating_system(255).read(plain.as_slice(), Compression::best());
    all(packed, size + BLOCK)
}

fn header(member: &Member<'_>, mtime: u64) -> Result<Header, ArchiveError> {
    let mut header = Header::new_ustar();
    let (kind, size) = match member.content {
        Some(bytes) => (EntryType::Regular, bytes.len()),
        None => (EntryType::Directory, 0),
    };
    let path = if member.content.is_none() { format!("{}/", member.path) } else { member.path.to_owned() };
    header.set_entry_type(kind);
    header.set_path(&path).map_err(|_| ArchiveError::LongPath(path))?;
    header.set_mode(member.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root").and_then(|()| header.set_groupname("root")).map_err(broken)?;
    header.set_mtime(mtime);
    header.set_size(u64::try_from(size).unwrap_or(u64::MAX));
    header.set_cksum();
    Ok(header)
}

/// Every regular file of an archive, plain or gzipped.
pub fn read(bytes: &[u8]) -> Result<Vec<Content>, ArchiveError> {
    // RFC 1952 section 2.3.1.
    let unpacked;
    let plain = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(bytes);
        unpacked = all(&mut decoder, LIMIT)?;
        if !decoder.into_inner().is_empty() {
            return Err(ArchiveError::Trailing);
        }
        unpacked.as_slice()
    } else {
        bytes
    };
    if plain.len() > LIMIT {
        return Err(ArchiveError::TooLarge);
    }
    let mut found: Vec<Content> = Vec::new();
    let mut archive = Archive::new(plain);
    for (index, entry) in archive.entries().map_err(broken)?.enumerate() {
        let entry = entry.map_err(broken)?;
        if index >= MEMBERS {
            return Err(ArchiveError::TooMany);
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = name_of(&path);
        let plain_names = is_plain(&name);
        match entry.header().entry_type() {
            EntryType::Directory if plain_names || matches!(path.as_str(), "." | "./") => {}
            EntryType::Regular | EntryType::Continuous if plain_names => {
                let mode = entry.header().mode().map_err(broken)? & 0o7777;
                let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
                let bytes = all(entry, size.min(LIMIT))?;
                if bytes.len() != size {
                    return Err(ArchiveError::Cut(name));
                }
                if found.iter().any(|other| other.path == name) {
                    return Err(ArchiveError::Twice(name));
                }
                found.push(Content { path: name, mode, bytes });
            }
            EntryType::Directory | EntryType::Regular | EntryType::Continuous => {
                return Err(ArchiveError::Escapes(path));
            }
            _ => return Err(ArchiveError::NotPlain(path)),
        }
    }
    // Behind the end there is padding alone.
    if archive.into_inner().iter().any(|byte| *byte != 0) {
        return Err(ArchiveError::Trailing);
    }
    Ok(found)
}

/// Everything a reader has, at most `limit` bytes.
fn all(reader: impl Read, limit: usize) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    let bound = limit.saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(bound));
    let most = u64::try_from(bound).unwrap_or(u64::MAX);
    let length = reader.take(most).read_to_end(&mut bytes).map_err(broken)?;
    if length > limit { Err(ArchiveError::TooLarge) } else { Ok(bytes) }
}

/// A member's path, without `./` before it and `/` behind it.
pub(super) fn name_of(path: &str) -> String {
    let name = path.strip_prefix("./").unwrap_or(path);
    name.strip_suffix('/').unwrap_or(name).to_owned()
}

/// It stays below where it is unpacked.
pub(super) fn is_plain(name: &str) -> bool {
    name.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
}

pub(super) fn broken(_: std::io::Error) -> ArchiveError {
    ArchiveError::Broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: &[Member<'_>] = &[
        Member { path: "etc/kubernetes", mode: 0o755, content: None },
        Member { path: "etc/kubernetes/a.key", mode: 0o600, content: Some(b"secret") },
        Member { path: "etc/kubernetes/b.crt", mode: 0o644, content: Some(&[7; 1000]) },
    ];

    #[test]
    fn what_goes_in_comes_out_and_is_always_the_same() {
        for gzip in [false, true] {
            let bytes = write(MEMBERS, 1_700_000_000, gzip).unwrap();
            assert_eq!(bytes, write(MEMBERS, 1_700_000_000, gzip).unwrap());
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), gzip);
            let found: Vec<_> = read(&bytes).unwrap().into_iter().map(|c| (c.path, c.mode, c.bytes.len())).collect();
            let wanted =
                [("etc/kubernetes/a.key".to_owned(), 0o600, 6), ("etc/kubernetes/b.crt".to_owned(), 0o644, 1000)];
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn nothing_grows_while_it_is_written() {
        let bytes = write(MEMBERS, 0, false).unwrap();
        assert_eq!(bytes.len(), bytes.capacity());
    }

    #[test]
    fn nothing_is_behind_the_end() {
        for gzip in [false, true] {
            let bytes = write(MEMBERS, 0, gzip).unwrap();
            for more in [b"x".as_slice(), &bytes, &[b'x'; 1024]] {
                assert_eq!(read(&[&bytes, more].concat()), Err(ArchiveError::Trailing), "{gzip} {}", more.len());
            }
        }
        let plain = write(MEMBERS, 0, false).unwrap();
        assert!(read(&[plain.as_slice(), &[0; 8192]].concat()).is_ok());
        let inside = [plain.as_slice(), b"x"].concat();
        let packed = all(GzBuilder::new().read(inside.as_slice(), Compression::best()), LIMIT).unwrap();
        assert_eq!(read(&packed), Err(ArchiveError::Trailing));
    }

    /// One member of any kind and name, as no honest tar writes it.
    fn hostile(kind: EntryType, path: &str, link: Option<&str>) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(1);
        if let Some(link) = link {
            header.set_size(0);
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        let mut builder = Builder::new(Vec::new());
        builder.append(&header, b"x".get(..usize::from(link.is_none())).unwrap()).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn what_leaves_the_directory_or_is_no_file_is_refused() {
        for (kind, path, link, wanted) in [
            (EntryType::Regular, "../a", None, ArchiveError::Escapes("../a".to_owned())),
            (EntryType::Regular, "/a", None, ArchiveError::Escapes("/a".to_owned())),
            (EntryType::Regular, "a//b", None, ArchiveError::Escapes("a//b".to_owned())),
            (EntryType::Symlink, "a", Some("/etc/passwd"), ArchiveError::NotPlain("a".to_owned())),
            (EntryType::Link, "a", Some("b"), ArchiveError::NotPlain("a".to_owned())),
            (EntryType::Fifo, "a", Some("b"), ArchiveError::NotPlain("a".to_owned())),
        ] {
            assert_eq!(read(&hostile(kind, path, link)), Err(wanted), "{path}");
        }
        let twice =
            [&hostile(EntryType::Regular, "a", None)[..1024], &hostile(EntryType::Regular, "./a", None)].concat();
        assert_eq!(read(&twice), Err(ArchiveError::Twice("a".to_owned())));
    }

    #[test]
    fn a_bomb_is_bounded_and_a_part_is_no_archive() {
        let zeros = vec![0; LIMIT + 1];
        let bomb = all(GzBuilder::new().read(zeros.as_slice(), Compression::best()), LIMIT).unwrap();
        assert_eq!(read(&bomb), Err(ArchiveError::TooLarge));
        let bytes = write(MEMBERS, 0, true).unwrap();
        for end in 2..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
        let long = format!("{}/x", "a".repeat(300));
        let member = Member { path: &long, mode: 0o644, content: Some(b"") };
        assert!(matches!(write(&[member], 0, false), Err(ArchiveError::LongPath(_))));
    }
}
