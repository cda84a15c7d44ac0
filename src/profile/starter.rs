//! The profile to begin with.

/// What `kpki profile new` writes: commented, and valid as it stands.
pub fn starter() -> &'static str {
    include_str!("../../profiles/starter.yaml")
}
