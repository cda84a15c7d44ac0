//! `--endpoint NAME=HOST:PORT`.

use crate::live::Peer;
use crate::tree::EntryId;

/// Where an entry is served, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub id: EntryId,
    pub peer: Peer,
}

/// Why a text is no [`Given`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GivenError {
    #[error("expected NAME=HOST:PORT, such as apiserver=10.0.0.11:6443 or cp1/etcd-server=[2001:db8::11]:2379")]
    Form,
    #[error("expected HOST:PORT behind the name: a lower-case DNS name or an address, IPv6 in brackets, and a port")]
    Peer,
}

impl Given {
    pub fn parse(text: &str) -> Result<Self, GivenError> {
        let (name, peer) = text.split_once('=').ok_or(GivenError::Form)?;
        let (node, name) = name.split_once('/').map_or((None, name), |(node, name)| (Some(node), name));
        if name.is_empty() || node.is_some_and(str::is_empty) || name.contains('/') {
            return Err(GivenError::Form);
        }
        Ok(Self { id: EntryId::new(node, name), peer: Peer::parse(peer).ok_or(GivenError::Peer)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_place_are_read() {
        for (text, wanted) in [
            ("apiserver=10.0.0.11:6443", Ok("apiserver 10.0.0.11:6443")),
            ("cp1/etcd-server=[::1]:2379", Ok("cp1/etcd-server [::1]:2379")),
            ("lb=lb.example.com:443", Ok("lb lb.example.com:443")),
            ("apiserver", Err(GivenError::Form)),
            ("=10.0.0.11:6443", Err(GivenError::Form)),
            ("/apiserver=10.0.0.11:6443", Err(GivenError::Form)),
            ("a/b/c=10.0.0.11:6443", Err(GivenError::Form)),
            ("apiserver=10.0.0.11", Err(GivenError::Peer)),
            ("apiserver=::1:6443", Err(GivenError::Peer)),
            ("apiserver=https://a:1", Err(GivenError::Peer)),
        ] {
            let found = Given::parse(text).map(|given| format!("{} {}", given.id, given.peer));
            assert_eq!(found, wanted.map(str::to_owned), "{text}");
        }
    }
}
