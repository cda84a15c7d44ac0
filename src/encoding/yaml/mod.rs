//! YAML: texts into a small tree that remembers where everything stood, and scalars back into text. The only place that
//! knows the YAML crate.

mod flaw;
mod read;
mod write;

pub use flaw::Flaw;
pub use read::{Entry, Fault, MAX_BYTES, MAX_PROBLEMS, Mark, Node, Stream, Style, Value, field, read, text};
pub use write::scalar;
