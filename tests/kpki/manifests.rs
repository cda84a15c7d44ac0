//! Kubeconfigs and manifests of other programs, as `check-expiration` and `inspect` see them: nothing of them is passed over in
//! silence.

use super::harness::{Place, repository};

const TREE: &str = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes";

fn original(path: &str) -> String {
    std::fs::read_to_string(repository(TREE).join(path)).unwrap()
}

const TOKEN: &str = "users:\n- name: a\n  user: {token: t}\n";

#[test]
fn a_kubeconfig_without_certificates_is_one_and_says_what_is_not_judged() {
    let place = Place::new();
    place.write("token", TOKEN);
    place.write("exec", TOKEN.replace("{token: t}", "{exec: {command: aws}}"));
    place.write("nobody", TOKEN.replace("{token: t}", "{}"));
    place.write("ca.crt", original("pki/ca.crt"));
    for (file, said) in
        [("token", "token is not judged"), ("exec", "exec is not judged"), ("nobody", "it has no credentials")]
    {
        // Alone, there is nothing that could be well; beside others, it is no finding.
        let alone = place.kpki(&["check-expiration", file]).status(1).stderr;
        assert!(alone.contains(&format!("{file}: user a: {said}")) && !alone.contains("of the kind"), "{alone}");
        let beside = place.kpki(&["check-expiration", file, "ca.crt", "--at", "2026-12-01"]).status(0);
        assert!(beside.stderr.contains(said) && beside.stdout.contains("ok: 1 certificate;"), "{}", beside.stderr);
        assert!(place.kpki(&["inspect", file]).ok().stdout.contains("kubeconfig"));
    }
    let walked = place.kpki(&["check-expiration", ".", "--at", "2026-12-01"]).status(0).stderr;
    assert_eq!(walked.lines().filter(|line| line.contains("user a: ")).count(), 3, "{walked}");
}

#[test]
fn aliases_that_multiply_are_refused_by_every_reader() {
    let lines = (1..30).map(|line| format!("a{line}: &a{line} [{}]\n", vec![format!("*a{}", line - 1); 9].join(", ")));
    let bomb = format!("{TOKEN}current-context: a\nkind: KIND\na0: &a0 tls.crt\n{}", lines.collect::<String>());
    let place = Place::new();
    for kind in ["Config", "Secret"] {
        place.write("bomb", bomb.replace("KIND", kind));
        for (words, status) in [
            (&["check-expiration", "bomb"][..], 4),
            (&["inspect", "bomb"], 1),
            (&["convert", "bomb", "--to", "pem", "--out", "x"], 1),
        ] {
            let run = place.kpki(words).status(status);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains("with every alias (*) written out, found more"), "{kind}: {words:?}: {said}");
            assert!(!run.wrote);
        }
    }
}

#[test]
fn inspect_shows_every_value_and_names_the_rest() {
    let place = Place::new();
    let text = |path: &str| original(path).replace('\n', "\n    ");
    place.write(
        "all.yaml",
        format!(
            "kind: Secret\nmetadata: {{name: x, namespace: n}}\nstringData:\n  any: |\n    {}\n  a.key: |\n    {}\n  password: hunter2\n\
             ---\nkind: Deployment\nmetadata: {{name: web}}\n",
            text("pki/apiserver.crt"),
            text("pki/apiserver.key"),
        ),
    );
    let shown = place.kpki(&["inspect", "all.yaml"]).ok().stdout;
    for line in [
        "certificate of document 1: Secret n/x (any)",
        "private key of document 1: Secret n/x (a.key)",
        "document 1: Secret n/x (password)",
        "document 2: Deployment web",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("hunter2"));
    let checked = place.kpki(&["check-expiration", "all.yaml", "--at", "2026-12-01"]).status(0);
    assert!(checked.stdout.contains("all.yaml[document 1: Secret n/x any]"), "{}", checked.stdout);
    let left = "no certificate is looked for in document 1: Secret n/x (password), document 2: Deployment web";
    assert!(checked.stderr.contains(left), "{}", checked.stderr);
}
