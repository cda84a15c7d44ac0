//! Standard input, to its end and bounded.

use std::io::{self, Read as _};

use crate::error::Error;

pub fn read(most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|why| Error::failed("cannot read standard input").because(why))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(Error::usage(format!("standard input is larger than {most} bytes")));
    }
    Ok(bytes)
}
