//! Neither a token nor a key is left in the memory of kpki-vault: gdb stops it at its last system call.

use serde_json::json;

use super::{Bao, feed, vault};
use crate::memory::{Needles, core_at};
use crate::support::say;

#[test]
fn nothing_of_a_token_or_a_key_is_left() {
    let bao = Bao::start();
    let key = say("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n");
    bao.put("secret/data/kpki", json!({"data": {"ca.key": key}}));
    bao.put("sys/policies/acl/reader", json!({"policy": "path \"secret/data/kpki\" { capabilities = [\"read\"] }"}));
    bao.put("sys/auth/approle", json!({"type": "approle"}));
    bao.put("auth/approle/role/kpki", json!({"token_policies": ["reader"]}));
    let (_, answer) = bao.ask("GET", "", "auth/approle/role/kpki/role-id", &serde_json::Value::Null);
    let role_id = bao.file("role.id", answer["data"]["role_id"].as_str().unwrap());
    let secret =
        bao.put("auth/approle/role/kpki/secret-id", json!({}))["data"]["secret_id"].as_str().unwrap().to_owned();
    let secret_id = bao.file("secret.id", &secret);
    let token = bao.put("auth/token/create", json!({"policies": ["reader"]}))["auth"]["client_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let token_file = bao.file("token", &token);
    let read = format!("secret --path secret/data/kpki --field ca.key --address {}", bao.address());
    let [role_id, secret_id, token_file] = [role_id, secret_id, token_file].map(|path| path.display().to_string());
    let approle = format!("{read} --approle-role-id-file {role_id} --approle-secret-id-file {secret_id}");
    let by_token = format!("{read} --token-file {token_file}");
    let mut needles = Needles::new();
    [&token, &secret, &body].into_iter().for_each(|secret| needles.add(secret.as_bytes(), 1, "secret"));
    for words in [&by_token, &approle] {
        let mut command = vault(words);
        assert_eq!(feed(&mut command, b"").ok(), key.as_bytes());
        command.current_dir(bao.place.path());
        let (core, status, said) = core_at("exit_group", &command, &bao.path("core"));
        assert_eq!(status, 0, "{said}");
        let found = needles.found(&core);
        assert!(found.is_empty(), "{words}: {found:#?}");
    }
    // The search can fail: while it writes the key, the key is there.
    let mut command = vault(&by_token);
    let (core, ..) = core_at("write", command.current_dir(bao.place.path()), &bao.path("core"));
    assert!(!needles.found(&core).is_empty());
}
