//! A relative path that cannot leave the directory it is used in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Components separated by single slashes; none empty, `.` or `..`, none with a NUL byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RelPath(String);

/// The text that is not a [`RelPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a relative path of plain names")]
pub struct BadPath(pub String);

impl TryFrom<String> for RelPath {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        Self::parse(text)
    }
}

impl RelPath {
    pub fn parse(text: impl Into<String>) -> Result<Self, BadPath> {
        let text = text.into();
        let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
        if text.split('/').all(plain) { Ok(Self(text)) } else { Err(BadPath(text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The directory it is in; `None`: the root itself.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self(format!("{}/{}", self.0, other.0))
    }

    /// Whether it is `dir` or below it.
    pub fn is_within(&self, dir: &str) -> bool {
        self.0.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for RelPath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_plain_names_make_a_path() {
        for bad in ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "./a", "a/./b", "a\0b", "../a"] {
            assert!(RelPath::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "pki/etcd/ca.key", "...", ".kpki", "a b", "ü"] {
            assert_eq!(RelPath::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_path_knows_its_parts() {
        let path = RelPath::parse("pki/etcd/ca.key").unwrap();
        assert_eq!(path.file_name(), "ca.key");
        assert_eq!(path.parent().unwrap().as_str(), "pki/etcd");
        assert_eq!(RelPath::parse("a").unwrap().parent(), None);
        assert!(path.is_within("pki") && path.is_within("pki/etcd") && !path.is_within("pk"));
    }

    proptest! {
        #[test]
        fn a_parsed_path_never_climbs(text in "[./a-c\0]{0,12}") {
            if let Ok(path) = RelPath::parse(text) {
                let path: &std::path::Path = path.as_ref();
                prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
