//! A profile after a node has left.

use super::model::Profile;

impl Profile {
    /// The same cluster without a node, and without extra certificates that only this node had.
    #[must_use]
    pub fn without_node(&self, name: &str) -> Self {
        let mut rest = self.clone();
        rest.nodes.retain(|node| node.name != name);
        for extra in &mut rest.extra_certificates {
            extra.nodes.retain(|node| node != name);
        }
        rest.extra_certificates.retain(|extra| !extra.nodes.is_empty());
        rest
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{Overrides, Source, load, render_as_stated};

    #[test]
    fn what_is_left_is_a_profile_without_the_node() {
        let text = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb:6443\nnodes:\n\
            - {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\nextraCertificates:\n\
            - {name: own, authority: ca, commonName: own, usages: [client], nodes: [cp2]}\n\
            - {name: both, authority: ca, commonName: both, usages: [client], nodes: [cp1, cp2]}\n";
        let read =
            |text: &str| load(Source { name: "p", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile;
        let rest = read(text).without_node("cp2");
        let names: Vec<&str> = rest.nodes.iter().map(|node| node.name.as_str()).collect();
        let extras: Vec<(&str, &[String])> =
            rest.extra_certificates.iter().map(|extra| (extra.name.as_str(), extra.nodes.as_slice())).collect();
        assert_eq!((names, extras), (vec!["cp1"], vec![("both", &["cp1".to_owned()][..])]));
        assert_eq!(read(&render_as_stated(&rest)), rest);
        let stated = read(&text.replace("nodes:\n", "encryptionAlgorithm: RSA-3072\nnodes:\n"));
        assert_eq!(read(&render_as_stated(&stated)), stated);
        assert_eq!(read(text).without_node("cp9"), read(text));
    }
}
