//! The variables that are read, and nothing else of the environment. bao's name goes before vault's, as in bao itself.

use std::collections::BTreeMap;

/// Where a setting of the server may stand: OpenBao's variable and Vault's.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub names: [&'static str; 2],
}

pub const ADDRESS: Setting = Setting { names: ["BAO_ADDR", "VAULT_ADDR"] };
pub const CA_FILE: Setting = Setting { names: ["BAO_CACERT", "VAULT_CACERT"] };
pub const NAMESPACE: Setting = Setting { names: ["BAO_NAMESPACE", "VAULT_NAMESPACE"] };
pub const TOKEN: Setting = Setting { names: ["BAO_TOKEN", "VAULT_TOKEN"] };

pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// It may hold a token.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

impl Environment {
    /// Those that are UTF-8; no other is read here.
    pub fn of_process() -> Self {
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: variables.collect() }
    }

    #[cfg(test)]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { variables: variables.collect() }
    }

    /// Empty counts as not set.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub fn setting(&self, setting: Setting) -> Option<String> {
        setting.names.iter().find_map(|name| self.variable(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baos_name_goes_first_and_empty_is_not_set() {
        let both = Environment::of(&[("BAO_ADDR", "https://bao"), ("VAULT_ADDR", "https://vault"), ("BAO_CACERT", "")]);
        assert_eq!(both.setting(ADDRESS).as_deref(), Some("https://bao"));
        assert_eq!(both.setting(CA_FILE), None);
        let one = Environment::of(&[("BAO_ADDR", ""), ("VAULT_ADDR", "https://vault")]);
        assert_eq!(one.setting(ADDRESS).as_deref(), Some("https://vault"));
    }
}
