//! A tar file of a whole tree, not compressed: with owners, directories and paths of any length. What is read is borrowed from
//! its bytes, and every byte of it is accounted for.

use std::collections::BTreeSet;
use std::fmt;

use tar::{Archive, Builder, EntryType, Header};
use zeroize::Zeroizing;

use crate::encoding::archive::ArchiveError;

/// The unit of a tar file (POSIX.1-1988 ustar).
const BLOCK: usize = 512;

/// A file or a directory; the path is relative, without `/` at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    pub path: &'a str,
    /// Permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// `None`: a directory.
    pub content: Option<&'a [u8]>,
}

/// The content may be a key.
impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({}, mode {:04o})", self.path, self.mode)
    }
}

/// What came out.
#[derive(Clone, PartialEq, Eq)]
pub struct Content<'a> {
    pub path: String,
    /// `None`: a directory.
    pub bytes: Option<&'a [u8]>,
}

/// The content may be a key.
impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({}, {:?} bytes)", self.path, self.bytes.map(<[u8]>::len))
    }
}

/// A tar file of these members in this order; `mtime` in seconds since 1970.
pub fn write(members: &[Member<'_>], mtime: u64) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    // Reserved at once: growing would leave copies of the keys behind. A path that is too long for a header takes a member of
    // its own.
    let size = |member: &Member<'_>| {
        let content = member.content.map_or(0, |bytes| bytes.len().div_ceil(BLOCK) * BLOCK);
        3 * BLOCK + member.path.len().div_ceil(BLOCK) * BLOCK + content
    };
    let size = members.iter().map(size).sum::<usize>() + 2 * BLOCK;
    let mut builder = Builder::new(Vec::with_capacity(size));
    for member in members {
        let mut header = Header::new_gnu();
        let kind = if member.content.is_some() { EntryType::Regular } else { EntryType::Directory };
        header.set_entry_type(kind);
        header.set_mode(member.mode);
        header.set_uid(member.uid.into());
        header.set_gid(member.gid.into());
        header.set_mtime(mtime);
        let content = member.content.unwrap_or_default();
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        let end = if member.content.is_some() { "" } else { "/" };
        let path = format!("{}{end}", member.path);
        let long = |_| ArchiveError::LongPath(path.clone());
        builder.append_data(&mut header, &path, content).map_err(long)?;
    }
    builder.into_inner().map(Zeroizing::new).map_err(|_| ArchiveError::Broken)
}

/// Every member: regular files and directories below where it is unpacked, each once, and nothing behind them.
pub fn read(bytes: &[u8]) -> Result<Vec<Content<'_>>, ArchiveError> {
    let broken = |_| ArchiveError::Broken;
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    let mut end = 0;
    for entry in Archive::new(bytes).entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = path.strip_suffix('/').unwrap_or(&path).to_owned();
        if name.split('/').any(|part| matches!(part, "" | "." | "..") || part.contains('\0')) {
            return Err(ArchiveError::Escapes(path));
        }
        let bound = |at: u64| usize::try_from(at).map_err(|_| ArchiveError::Broken);
        let (start, size) = (bound(entry.raw_file_position())?, bound(entry.size())?);
        let stop = start.checked_add(size).ok_or(ArchiveError::Broken)?;
        let content = bytes.get(start..stop).ok_or_else(|| ArchiveError::Cut(name.clone()))?;
        let content = match entry.header().entry_type() {
            EntryType::Regular => Some(content),
            EntryType::Directory if size == 0 => None,
            _ => return Err(ArchiveError::NotPlain(path)),
        };
        if !names.insert(name.clone()) {
            return Err(ArchiveError::Twice(name));
        }
        end = stop;
        found.push(Content { path: name, bytes: content });
    }
    // The padding of the last member, and two blocks of zeros.
    let last = end.div_ceil(BLOCK).saturating_mul(BLOCK).saturating_add(2 * BLOCK);
    match bytes.get(end..) {
        Some(rest) if bytes.len() >= last && rest.iter().all(|byte| *byte == 0) => Ok(found),
        _ => Err(ArchiveError::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member<'a>(path: &'a str, content: Option<&'a [u8]>) -> Member<'a> {
        Member { path, mode: 0o600, uid: 4_000_000, gid: 7, content }
    }

    #[test]
    fn what_goes_in_comes_out_whatever_the_length_of_its_path() {
        let deep = format!("main/{}/x.key", vec!["d".repeat(200); 4].join("/"));
        let long = format!("main/{}", "n".repeat(250));
        let members = [
            member("kpki-backup.json", Some(b"{}")),
            member("main/.kpki", None),
            member(&deep, Some(&[7; 1000])),
            member(&long, Some(b"")),
            member("main/ü b", Some(&[1; 512])),
        ];
        let bytes = write(&members, 1_700_000_000).unwrap();
        assert_eq!(bytes, write(&members, 1_700_000_000).unwrap());
        let read = read(&bytes).unwrap();
        let found: Vec<_> = read.iter().map(|one| (one.path.as_str(), one.bytes)).collect();
        let wanted: Vec<_> = members.iter().map(|one| (one.path, one.content)).collect();
        assert_eq!(found, wanted);
        let header = Archive::new(bytes.as_slice()).entries().unwrap().nth(1).unwrap().unwrap().header().clone();
        assert_eq!((header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0o600, 4_000_000, 7));
    }

    #[test]
    fn nothing_grows_while_it_is_written() {
        let content = vec![1; 100_000];
        let path = "p/".repeat(300) + "x";
        let members = vec![member(&path, Some(&content)); 3];
        let bytes = write(&members, 0).unwrap();
        assert!(bytes.len() <= bytes.capacity() && bytes.capacity() < bytes.len() + 10 * BLOCK);
    }

    #[test]
    fn a_part_of_an_archive_and_more_than_one_are_refused() {
        let bytes = write(&[member("a", Some(b"content")), member("b", None)], 0).unwrap();
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
        assert_eq!(read(&[bytes.as_slice(), &bytes].concat()), Err(ArchiveError::Broken));
        let twice = write(&[member("a", Some(b"1")), member("a", Some(b"2"))], 0).unwrap();
        assert_eq!(read(&twice), Err(ArchiveError::Twice("a".to_owned())));
    }

    #[test]
    fn what_leaves_the_directory_or_is_no_file_is_refused() {
        for (kind, path, wanted) in [
            (EntryType::Regular, "../a", ArchiveError::Escapes("../a".to_owned())),
            (EntryType::Regular, "/a", ArchiveError::Escapes("/a".to_owned())),
            (EntryType::Regular, "a//b", ArchiveError::Escapes("a//b".to_owned())),
            (EntryType::Symlink, "a", ArchiveError::NotPlain("a".to_owned())),
            (EntryType::Link, "a", ArchiveError::NotPlain("a".to_owned())),
            (EntryType::Char, "a", ArchiveError::NotPlain("a".to_owned())),
        ] {
            let mut header = Header::new_ustar();
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(kind);
            header.set_size(0);
            header.set_cksum();
            let mut builder = Builder::new(Vec::new());
            builder.append(&header, b"".as_slice()).unwrap();
            assert_eq!(read(&builder.into_inner().unwrap()), Err(wanted), "{path}");
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_are_read_or_refused(at in 0_usize..3000, with in proptest::collection::vec(any::<u8>(), 1..40)) {
            let mut bytes = write(&[member("a", Some(b"content")), member("b", None)], 0).unwrap().to_vec();
            let at = at.min(bytes.len());
            let end = (at + with.len()).min(bytes.len());
            bytes.splice(at..end, with);
            let _ = read(&bytes);
        }
    }
}
