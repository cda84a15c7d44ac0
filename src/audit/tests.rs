//! At the second.
