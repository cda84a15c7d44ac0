//! Every field of a ClusterProfile, for the manual page: the table in profiles/REFERENCE.md. A test holds it against what the
//! decoder asks for.

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDoc {
    /// Dotted; `[]` means each item of a list, `NAME` for each name of a mapping.
    pub field: String,
    /// Whether kubeadm has it under this name with this meaning.
    pub kubeadm: bool,
    /// What its value is, in words.
    pub kind: String,
    /// Empty: none, the field may be left out; `required`: it may not.
    pub default: String,
    pub description: String,
    /// A value in YAML.
    pub example: String,
}

/// In the order in which a profile is best read.
pub fn field_reference() -> Vec<FieldDoc> {
    include_str!("../../profiles/REFERENCE.md").lines().filter_map(row).collect()
}

/// A row of the table starts with its field as code; no cell contains a bar or a backquote of its own.
fn row(line: &str) -> Option<FieldDoc> {
    let cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").map(|cell| cell.replace('`', ""));
    let [field, kubeadm, kind, default, description, example] = cells.collect::<Vec<_>>().try_into().ok()?;
    Some(FieldDoc { field, kubeadm: kubeadm == "yes", kind, default, description, example })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Overrides;
    use crate::profile::fields::Reading;
    use crate::profile::load::read;
    use std::collections::BTreeSet;

    /// Reads a profile that opens every mapping, and compares what was asked for with the table.
    #[test]
    fn the_reference_is_what_the_decoder_takes() {
        let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nauthorities: {ca: {}}\ncertificates: {apiserver: {}}\n\
                    extraCertificates: [{name: a}]\n\
                    verify: {ignore: [{rule: a, reason: a}]}\nrenewal: {hooks: {deploy: {etcd: {}}}}\n\
                    nodes: [{name: a, hooks: {deploy: {etcd: {}}}}]\n";
        let mut reading = Reading::of("p");
        read(text.as_bytes(), &Overrides::default(), &mut reading);
        let general = |path: &String| {
            path.replace("[0]", "[]")
                .replace("hooks.deploy.etcd.", "hooks.deploy.NAME.")
                .replace("authorities.ca.", "authorities.NAME.")
                .replace("certificates.apiserver.", "certificates.NAME.")
        };
        let asked: BTreeSet<String> = reading.asked.iter().map(general).collect();
        let reference = field_reference();
        let documented: BTreeSet<String> = reference.iter().map(|doc| doc.field.clone()).collect();
        assert_eq!(asked, documented);
        assert_eq!(documented.len(), reference.len());
    }

    #[test]
    fn every_example_is_valid_yaml_for_its_field() {
        for doc in field_reference().iter().filter(|doc| !doc.field.contains(['[', '.'])) {
            let given = ["apiVersion", "kind", "nodes"].contains(&doc.field.as_str());
            let line = if given { String::new() } else { format!("{}: {}\n", doc.field, doc.example) };
            let text = format!(
                "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{{name: cp1, addresses: [10.0.0.1]}}]\n{line}"
            );
            let loaded = crate::profile::tests::load_text(&text);
            assert!(loaded.is_ok(), "{}: {loaded:?}", doc.field);
        }
    }
}
