//! Files the way a program that holds keys must handle them: through open directories, one path component at a time.
//!
//! A path is looked up by the kernel at every call, and any component of it may have become a symlink in between. So
//! nothing below the directory a person named is reached by path: [`Dir`] is an open directory, its children are opened
//! relative to it, and a symlink among them is an error with a name of its own rather than a way out. The directory itself
//! is the person's choice and may be a symlink.
//!
//! Reads are bounded and never block: what is not a regular file is named, not read. Files are made exclusively, with
//! their final mode whatever the umask.

mod dir;
mod error;
mod facts;
mod look;
mod path;
mod pipe;
mod read;
mod shell;
mod stream;
#[cfg(test)]
pub(crate) mod synced;
mod text;
mod trust;
mod write;

pub use dir::Dir;
pub use error::{FileError, Kind, Op};
pub use facts::{Facts, What};
pub use look::{Source, changed, is_executable, link, look, look_below, owner, real, what};
pub use path::{BadPath, RelPath};
pub use pipe::read_pipe;
pub use read::{FileState, read, read_input, read_stdin, read_stream};
pub use shell::{shell_path, shell_word, steers};
pub use stream::Stream;
pub use text::utf16;
pub use trust::{TrustError, Untrusted, trusted, trusted_entry};
pub(crate) use write::{Permissions, Written, write_all};
