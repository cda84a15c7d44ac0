//! YAML: texts into a small tree that remembers where everything stood, and scalars back into text. The only place that
//! knows the YAML crate.

mod alias;
mod dialect;
mod flaw;
mod node;
mod offsets;
mod read;
mod write;

pub use dialect::{MAX_BYTES, MAX_PROBLEMS};
pub use flaw::Flaw;
pub use node::{Entry, Fault, Mark, Node, Stream, Style, Value, field, text};
pub use read::{read, read_as_kubectl};
pub use write::scalar;
