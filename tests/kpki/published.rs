//! Schemas that others have published, in `fixtures/schemas`, and what they leave to prose.

use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use super::harness::repository;

/// A published schema, with those that it names.
pub struct Published {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Published {
    fn new(file: &str, others: &[&str]) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        let mut add = |file: &str| {
            let text = fs::read_to_string(repository("fixtures/schemas").join(file)).unwrap();
            let schema: Value = serde_json::from_str(&text).unwrap();
            let id = schema["$id"].as_str().unwrap().to_owned();
            // A relative reference is to the file's name beside the schema's own.
            let beside = format!("{}/{file}", id.rsplit_once('/').unwrap().0);
            for location in [id.clone(), beside] {
                compiler.add_resource(&location, schema.clone()).unwrap();
            }
            id
        };
        others.iter().for_each(|file| _ = add(file));
        let id = add(file);
        let index = compiler.compile(&id, &mut schemas).unwrap_or_else(|why| panic!("{why:#}"));
        Self { schemas, index }
    }

    pub fn sarif() -> Self {
        Self::new("sarif-schema-2.1.0.json", &[])
    }

    pub fn cyclonedx() -> Self {
        Self::new("bom-1.6.SNAPSHOT.schema.json", &["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"])
    }

    /// Our own, for what cert-manager reads.
    pub fn cert_manager() -> Self {
        Self::new("cert-manager-v1.schema.json", &[])
    }

    #[track_caller]
    pub fn holds(&self, document: &str) -> Value {
        let value: Value = serde_json::from_str(document).unwrap();
        if let Err(why) = self.schemas.validate(&value, self.index) {
            panic!("{why:#}\n{document}");
        }
        value
    }

    pub fn refuses(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_err()
    }
}

/// Each reference is there, once; the graph names every component; nothing secret is in it.
pub fn references_hold(document: &Value) {
    let components = document["components"].as_array().unwrap().iter().chain(document["metadata"].get("component"));
    let mut references: Vec<&str> = components.map(|component| component["bom-ref"].as_str().unwrap()).collect();
    let count = references.len();
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), count);
    let known = |reference: &Value| references.binary_search(&reference.as_str().unwrap()).is_ok();
    let dependencies = document["dependencies"].as_array().unwrap();
    assert_eq!(dependencies.len(), count);
    for dependency in dependencies {
        assert!(known(&dependency["ref"]));
        assert!(dependency["dependsOn"].as_array().unwrap().iter().all(known), "{dependency}");
    }
    fn named<'a>(value: &'a Value, to: &mut Vec<&'a Value>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| match value {
                Value::String(_) if key.ends_with("Ref") => to.push(value),
                value => named(value, to),
            }),
            Value::Array(values) => values.iter().for_each(|value| named(value, to)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    named(document, &mut all);
    assert!(all.len() > 10 && all.into_iter().all(known));
    assert!(!document.to_string().contains("-----BEGIN"));
}
