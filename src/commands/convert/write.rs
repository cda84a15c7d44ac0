//! Onto the disk, or to standard output.

use super::publish;
use super::request::{Output, Request};
use crate::error::Error;
use crate::report::convert::{Convert, Written};
use zeroize::Zeroizing;

/// What was made.
#[derive(Debug)]
pub struct Done {
    pub report: Convert,
    /// What belongs on standard output, and whether it is binary.
    pub document: Option<(Zeroizing<Vec<u8>>, bool)>,
}

/// Writes, or hands out what is for standard output.
pub fn finish(
    request: &Request,
    mut outputs: Vec<Output>,
    into_directory: bool,
    mut report: Convert,
) -> Result<Done, Error> {
    report.notes.dedup();
    report.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    let Some(out) = &request.out else {
        if into_directory {
            return Err(Error::usage("this makes several files, and standard output takes one").hint("give --out DIR"));
        }
        let document = outputs.pop().map(|output| (output.bytes, output.binary));
        return Ok(Done { report, document });
    };
    report.out = out.display().to_string();
    report.written = outputs
        .iter()
        .map(|output| Written {
            path: if into_directory { out.join(&output.path) } else { out.clone() }.display().to_string(),
            holds: output.holds.clone(),
            from: output.from.clone(),
            bytes: output.bytes.len(),
            secret: output.secret,
        })
        .collect();
    if into_directory {
        report.kept = publish::directory(out, outputs, request.force, request.now)?;
    } else {
        for output in &outputs {
            publish::file(out, output, request.force)?;
        }
    }
    Ok(Done { report, document: None })
}
