//! How much of YAML is taken, and how much of a text.

pub const MAX_BYTES: usize = 1 << 20;
/// Problems after these are counted, not kept.
pub const MAX_PROBLEMS: usize = 100;

#[derive(Debug)]
pub struct Dialect {
    pub bytes: usize,
    pub depth: usize,
    pub nodes: usize,
    pub documents: usize,
    /// Anchors, aliases, merge keys and tags mean what they mean for kubectl; else they are faults.
    pub is_clever: bool,
}

pub const PROFILE: Dialect = Dialect { bytes: MAX_BYTES, depth: 32, nodes: 50_000, documents: 64, is_clever: false };

/// A chart as it was rendered, or the Secrets of a cluster in one list; schemas of custom resources nest deeply.
pub const MANIFEST: Dialect = Dialect { bytes: 4 << 20, depth: 100, nodes: 250_000, documents: 4096, is_clever: true };
