//! What was given to a scan, one file after the other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::json;
use super::objects::Objects;
use super::seen::{Place, Seen};
use super::walk::{self, Met};
use super::yaml as documents;
use crate::encoding::contents::Contents;
use crate::encoding::embedded;
use crate::encoding::shown::named;
use crate::encoding::yaml;
use crate::files::{self, Kind, Stream};
use crate::inventory::looks_like_kubeconfig;
use crate::plan::rotate::scan::Sought;
use crate::signals;

/// A file that is not JSON is read whole, up to this many bytes.
const LARGEST: u64 = 32 << 20;
/// What a scan takes.
const EXPECTED: &str = "objects in JSON or YAML, a kubeconfig, PEM or DER";
/// What standard input is called.
const INPUT: &str = "standard input";

/// Where something is read from.
#[derive(Debug)]
pub enum Input {
    /// A file or a directory.
    Path(PathBuf),
    Stdin(Stream),
}

/// Everything in the inputs that has to do with what is sought.
///
/// # Errors
/// A signal ended it; what cannot be read is part of what was seen.
pub fn scan(inputs: Vec<Input>, sought: &Sought) -> Result<Seen, signals::Stopped> {
    let mut scan = Scan { sought, seen: Seen::default(), done: BTreeSet::new() };
    for input in inputs {
        signals::check()?;
        match input {
            Input::Stdin(stream) => scan.stream(stream, None, false),
            Input::Path(path) if walk::is_directory(&path) => scan.directory(&path)?,
            Input::Path(path) => scan.file(&path, false),
        }
    }
    Ok(scan.seen)
}

struct Scan<'a> {
    sought: &'a Sought,
    seen: Seen,
    /// Files that were looked at, or are being looked at.
    done: BTreeSet<PathBuf>,
}

impl Scan<'_> {
    fn directory(&mut self, root: &Path) -> Result<(), signals::Stopped> {
        let mut stopped = Ok(());
        let links = walk::files(root, &mut |met| {
            match met {
                Met::File(path) => self.file(&path, true),
                Met::Failed(path, why) => self.seen.missed(&place(Some(&path)), "", why),
            }
            stopped = signals::check();
            stopped.is_ok()
        });
        if links > 0 {
            self.seen.notes.push(format!("{}: symlinks are not followed, and it has {links}", root.display()));
        }
        stopped
    }

    /// `walked`: nobody named it, and what holds nothing is passed over.
    fn file(&mut self, path: &Path, walked: bool) {
        if !self.done.insert(path.to_owned()) {
            return;
        }
        match files::look(path) {
            Ok(Some(source)) => self.stream(Stream::of(source), Some(path), walked),
            // Gone between listing and reading.
            Ok(None) | Err(Kind::NotAFile(_)) if walked => {}
            Ok(None) => self.seen.missed(&place(Some(path)), "", "expected a file, found none"),
            Err(why) => self.seen.missed(&place(Some(path)), "", format!("cannot read it: {why}")),
        }
    }

    /// `path`: `None` for standard input.
    fn stream(&mut self, mut stream: Stream, path: Option<&Path>, walked: bool) {
        let place = place(path);
        let first = match stream.head() {
            Ok(head) => head.trim_ascii_start().first().copied(),
            Err(why) => return self.seen.missed(&place, "", format!("cannot read it: {why}")),
        };
        self.seen.files += 1;
        match first {
            None if walked => {}
            None => self.seen.missed(&place, "", format!("expected {EXPECTED}, found nothing")),
            Some(b'{' | b'[') => self.json(stream, &place, path, walked),
            Some(_) => self.whole(stream, &place, path, walked),
        }
    }

    fn json(&mut self, stream: Stream, place: &Place, path: Option<&Path>, walked: bool) {
        let before = (self.seen.finds.len(), self.seen.not_read.len(), self.seen.objects);
        let mut objects = Objects::new(&place.source, self.sought, &mut self.seen);
        let read = json::read(stream, &mut objects);
        let files = objects.files;
        match read {
            Ok(()) => self.follow(files, place, path),
            // Any text may begin with a bracket.
            Err(json::NotJson::Other { .. }) if walked => {
                self.seen.finds.truncate(before.0);
                self.seen.not_read.truncate(before.1);
                self.seen.objects = before.2;
                if let Some(Ok(Some(source))) = path.map(files::look) {
                    self.whole(Stream::of(source), place, path, walked);
                }
            }
            Err(why) => self.seen.missed(place, "", why),
        }
    }

    fn whole(&mut self, stream: Stream, place: &Place, path: Option<&Path>, walked: bool) {
        match stream.rest(LARGEST) {
            Ok(bytes) => self.text(&bytes, place, path, walked),
            // What long files nobody named hold is not known by their beginning.
            Err(why) => self.seen.missed(place, "", format!("cannot read it: {why}")),
        }
    }

    fn text(&mut self, bytes: &[u8], place: &Place, path: Option<&Path>, walked: bool) {
        if is_of_objects(bytes) {
            let stream = yaml::read_as_kubectl(bytes);
            if stream.readable() && !stream.documents.is_empty() {
                let mut objects = Objects::new(&place.source, self.sought, &mut self.seen);
                stream.documents.iter().for_each(|document| documents::read(document, &mut objects));
                let files = objects.files;
                return self.follow(files, place, path);
            }
            let is_template = walked && bytes.windows(2).any(|two| two == b"{{");
            if let Some(fault) = stream.faults.first().filter(|_| !is_template) {
                let (line, column) = (fault.mark.line, fault.mark.column);
                let why =
                    format!("line {line}, column {column}: {}; as JSON it is read whatever its length", fault.flaw);
                self.seen.missed(place, "", why);
            }
        }
        let groups = embedded::groups(bytes);
        for group in &groups {
            self.seen.take(self.sought, place, "", group);
        }
        if groups.is_empty() && !walked {
            let found = Contents::of(bytes);
            self.seen.missed(place, "", format!("expected {EXPECTED}, found {found}"));
        }
    }

    /// The files that a kubeconfig names are looked at with it.
    fn follow(&mut self, files: Vec<String>, place: &Place, path: Option<&Path>) {
        let base = path.map(|path| path.parent().unwrap_or(Path::new("")));
        for file in files {
            match base {
                // What is no path is not shown: it may be a key.
                Some(base) if named(&file) == file => self.file(&base.join(file), false),
                _ => self.seen.missed(place, "", "a file that a kubeconfig names is not looked at"),
            }
        }
    }
}

fn place(path: Option<&Path>) -> Place {
    let source = path.map_or_else(|| INPUT.to_owned(), |path| path.display().to_string());
    Place { source, ..Place::default() }
}

/// Whether a text is YAML with objects, or a kubeconfig; PEM is not YAML.
fn is_of_objects(bytes: &[u8]) -> bool {
    let line = |line: &[u8]| {
        let line = line.strip_prefix(b"- ").unwrap_or(line);
        line.starts_with(b"kind:") || line.starts_with(b"apiVersion:")
    };
    !bytes.starts_with(b"-----BEGIN ") && (bytes.split(|byte| *byte == b'\n').any(line) || looks_like_kubeconfig(bytes))
}
