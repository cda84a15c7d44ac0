use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::thread;

use rustix::fs::{FileType, Mode, mknodat};

use super::*;

const WAIT: Duration = Duration::from_secs(60);

fn pipe(dir: &tempfile::TempDir) -> PathBuf {
    let path = dir.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    path
}

/// What is written in several pieces by `text`, read with this limit.
fn read(text: &'static [u8], max: usize) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let dir = tempfile::tempdir().unwrap();
    let path = pipe(&dir);
    let writer = {
        let path = path.clone();
        thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
            // Whoever has read enough goes.
            text.chunks(5).for_each(|chunk| _ = pipe.write_all(chunk));
        })
    };
    let found = read_pipe(&path, max, WAIT);
    writer.join().unwrap();
    found
}

#[test]
fn a_pipe_is_read_to_its_end() {
    for (text, max) in [(&b"a key in several pieces"[..], 23), (b"a key", 1000), (b"", 10)] {
        assert_eq!(read(text, max).unwrap().unwrap().as_slice(), text);
    }
    assert_eq!(read(b"a key in several pieces", 22).unwrap_err().kind, Kind::TooLarge(22));
}

#[test]
fn nobody_waits_for_a_writer_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = pipe(&dir);
    assert_eq!(read_pipe(&path, 10, Duration::from_millis(10)).unwrap_err().kind, Kind::Late);
    // One that writes and stays.
    let mut writer = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    writer.write_all(b"a key").unwrap();
    assert_eq!(read_pipe(&path, 10, Duration::from_millis(10)).unwrap_err().kind, Kind::Late);
}

#[test]
fn what_is_no_pipe_is_left() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_path_buf(), dir.path().join("missing"), PathBuf::from("/dev/null")] {
        assert_eq!(read_pipe(&path, 10, WAIT), Ok(None), "{}", path.display());
    }
}
