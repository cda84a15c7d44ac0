//! The profile to begin with.

/// What `kpki profile new` writes: commented and valid.
pub fn starter() -> &'static str {
    include_str!("../../profiles/starter.yaml")
}
