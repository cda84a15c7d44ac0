//! PEM in and out: only what was understood is passed on, written anew.

use pem::{EncodeConfig, LineEnding, Pem};

/// The one block of a text, with one of these labels.
pub fn only(text: &str, labels: &[&str]) -> Option<Pem> {
    let mut blocks = pem::parse_many(text).ok()?;
    let block = blocks.pop()?;
    (blocks.is_empty() && labels.contains(&block.tag()) && !block.contents().is_empty()).then_some(block)
}

pub fn written(label: &str, contents: &[u8]) -> String {
    pem::encode_config(&Pem::new(label, contents), EncodeConfig::new().set_line_ending(LineEnding::LF))
}
