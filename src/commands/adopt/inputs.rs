//! What was given, read whole: directories and archives.

use super::request::NodeInput;
use super::{archives, directories};
use crate::error::Error;
use crate::files::{self, FileError, Kind, Op, What};
use crate::plan::adopt::NodeFiles;

/// Every input, or why it cannot be read.
pub fn read(inputs: &[NodeInput]) -> Vec<Result<NodeFiles, Error>> {
    inputs.iter().map(one).collect()
}

fn one(input: &NodeInput) -> Result<NodeFiles, Error> {
    match files::what(None, &input.path) {
        Some(What::Directory) => directories::read(input),
        Some(_) => archives::read(input),
        None => Err(FileError::new(Op::Read, &input.path, Kind::Missing).into()),
    }
}
