use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

fn rel(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn kind(found: Result<FileState, FileError>) -> Kind {
    found.unwrap_err().kind
}

#[allow(clippy::disallowed_methods)] // a test lays out its files by hand
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_is_read_with_its_mode() {
    let tmp = tempfile::tempdir().unwrap();
    put(&tmp.path().join("f"), b"hello");
    std::fs::set_permissions(tmp.path().join("f"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let dir = Dir::open_root(tmp.path()).unwrap();
    match read(&dir, &rel("f"), 5).unwrap() {
        FileState::File { bytes, mode, .. } => assert_eq!((bytes.as_slice(), mode), (&b"hello"[..], 0o640)),
        FileState::Missing => panic!("missing"),
    }
    assert_eq!(kind(read(&dir, &rel("f"), 4)), Kind::TooLarge(4));
    assert_eq!(read(&dir, &rel("g"), 5).unwrap(), FileState::Missing);
    assert_eq!(read(&dir, &rel("g/h"), 5).unwrap(), FileState::Missing);
    assert_eq!(kind(read(&dir, &rel("f/h"), 5)), Kind::NotADirectory(What::File));
}

#[test]
fn what_is_no_regular_file_is_named_and_not_read() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = Dir::open_root(tmp.path()).unwrap();
    std::fs::create_dir(tmp.path().join("dir")).unwrap();
    rustix::fs::mknodat(&dir, "fifo", FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = UnixListener::bind(tmp.path().join("socket")).unwrap();
    for (name, what) in [("dir", What::Directory), ("fifo", What::Fifo), ("socket", What::Socket)] {
        assert_eq!(kind(read(&dir, &rel(name), 99)), Kind::NotAFile(what), "{name}");
        assert_eq!(kind(read_input(&tmp.path().join(name), 99)), Kind::NotAFile(what), "{name}");
    }
    assert_eq!(kind(read_input(Path::new("/dev/zero"), 99)), Kind::NotAFile(What::Device));
}

#[test]
fn a_symlink_is_followed_only_where_a_person_named_it() {
    let tmp = tempfile::tempdir().unwrap();
    put(&tmp.path().join("f"), b"x");
    std::fs::create_dir(tmp.path().join("d")).unwrap();
    put(&tmp.path().join("d/f"), b"y");
    symlink("f", tmp.path().join("link")).unwrap();
    symlink("d", tmp.path().join("dirlink")).unwrap();
    symlink("nowhere", tmp.path().join("dangling")).unwrap();
    let dir = Dir::open_root(tmp.path()).unwrap();
    for name in ["link", "dirlink/f", "dirlink", "dangling", "dangling/f"] {
        let error = read(&dir, &rel(name), 9).unwrap_err();
        assert_eq!(error.kind, Kind::SymlinkInTheWay, "{name}");
        assert_eq!(error.path, tmp.path().join(name.trim_end_matches("/f")), "{name}");
    }
    assert!(matches!(read_input(&tmp.path().join("link"), 9), Ok(FileState::File { .. })));
    assert_eq!(read_input(&tmp.path().join("dangling"), 9).unwrap(), FileState::Missing);
    let through = Dir::open_root(&tmp.path().join("dirlink")).unwrap();
    assert!(matches!(read(&through, &rel("f"), 9), Ok(FileState::File { .. })));
}

#[test]
fn two_gigabytes_of_nothing_are_refused_at_once() {
    let tmp = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(tmp.path().join("sparse")).unwrap();
    file.set_len(2 << 30).unwrap();
    assert_eq!(kind(read_input(&tmp.path().join("sparse"), 1 << 20)), Kind::TooLarge(1 << 20));
}

#[test]
fn a_file_that_claims_to_be_empty_is_read_to_its_end_and_no_further() {
    // /proc files have size 0: the same path as a file that grows while it is read.
    let whole = match read_input(Path::new("/proc/self/status"), 1 << 20).unwrap() {
        FileState::File { bytes, .. } => bytes.len() as u64,
        FileState::Missing => panic!("missing"),
    };
    assert!(whole > 100);
    assert_eq!(kind(read_input(Path::new("/proc/self/status"), 50)), Kind::TooLarge(50));
}

#[test]
fn the_debug_form_shows_no_content() {
    let tmp = tempfile::tempdir().unwrap();
    put(&tmp.path().join("f"), b"SECRET");
    let found = read_input(&tmp.path().join("f"), 9).unwrap();
    assert!(!format!("{found:?}").contains("83") && !format!("{found:?}").contains("SECRET"));
}
