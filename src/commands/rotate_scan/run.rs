//! What is sought -> every input, piece by piece -> report.

use super::request::Request;
use super::sought;
use crate::error::Error;
use crate::report::rotate_scan::Scan;
use crate::workspace::scan::scan;

pub fn run(request: Request) -> Result<Scan, Error> {
    let sought = sought::of_files(&request.old, &request.new)?;
    let seen = scan(request.inputs, &sought)?;
    Ok(seen.report(&sought))
}
