//! The receipts on the command line: read, bounded, and each what it says it is.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::receipt::{LARGEST, Receipt};
use crate::error::Error;
use crate::workspace::survey;

/// A receipt as it was named.
#[derive(Debug, Clone)]
pub enum Input {
    Path(PathBuf),
    /// Standard input.
    Bytes(Zeroizing<Vec<u8>>),
}

impl Input {
    fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Bytes(_) => "standard input".to_owned(),
        }
    }
}

/// A receipt, and where it was read.
#[derive(Debug)]
pub struct Given {
    pub name: String,
    pub receipt: Receipt,
}

/// All of them, or every reason why not.
pub fn read(inputs: &[Input]) -> Result<Vec<Given>, Error> {
    let (mut all, mut whys): (Vec<Given>, Vec<String>) = (Vec::new(), Vec::new());
    for input in inputs {
        let name = input.name();
        match one(input) {
            Err(why) => whys.push(format!("{name}: {why}")),
            Ok(receipt) => match all.iter().find(|other| other.receipt.node == receipt.node) {
                Some(other) => whys.push(format!("{name}: {} is of {}, too", other.name, receipt.node)),
                None => all.push(Given { name, receipt }),
            },
        }
    }
    if whys.is_empty() {
        return Ok(all);
    }
    let error = Error::new("cannot use these receipts: nothing was written");
    Err(whys
        .into_iter()
        .fold(error, Error::because)
        .hint("make a node's receipt on that node: kpki export --verify --receipt -o json"))
}

fn one(input: &Input) -> Result<Receipt, Error> {
    let unusable = |why: &dyn std::fmt::Display| Error::new("it is no receipt").because(why);
    let read = match input {
        Input::Path(path) => survey::input(path, LARGEST)?,
        Input::Bytes(bytes) if u64::try_from(bytes.len()).is_ok_and(|len| len > LARGEST) => {
            return Err(unusable(&format!("it is larger than {LARGEST} bytes")));
        }
        Input::Bytes(bytes) => bytes.clone(),
    };
    Receipt::parse(&read).map_err(|why| unusable(&why))
}
