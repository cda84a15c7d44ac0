//! What is sought -> every input, piece by piece -> report.

use super::request::Request;
use super::sought;
use crate::error::Error;
use crate::report::rotate::scan::Scan;
use crate::workspace::scan::scan;

pub fn run(request: Request) -> Result<Scan, Error> {
    let (sought, warnings) = match request.old.is_empty() {
        true => sought::of_record(&request.trees)?,
        false => (sought::of_files(&request.old, &request.new)?, Vec::new()),
    };
    let seen = scan(request.inputs, &sought)?;
    let mut report = seen.report(&sought);
    report.notes.extend(warnings);
    Ok(report)
}
