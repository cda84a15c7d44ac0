//! Wrong command lines and profiles: the table of exit statuses, and messages that say where and what.

use super::harness::{Place, single};

#[test]
fn exit_statuses_are_a_table() {
    let place = Place::new();
    place.write("good.yaml", single(""));
    place.write("bad.yaml", single("clusterNmae: x\n"));
    place.write("file", "");
    for (words, status) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["init", "--help"], 0),
        (&["init", "--profile", "good.yaml", "--dir", "a"], 0),
        (&["init", "--profile", "good.yaml", "--dir", "a"], 0),
        (&["init", "--profile", "good.yaml", "--dir", "b", "--dry-run"], 0),
        (&["profile", "validate", "good.yaml"], 0),
        (&["profile", "new"], 0),
        (&["init", "--profile", "good.yaml", "--dir", "file"], 1),
        (&["init", "--profile", "missing.yaml", "--dir", "c"], 1),
        (&["init", "--profile", ".", "--dir", "c"], 1),
        (&[], 2),
        (&["frobnicate"], 2),
        (&["init", "--frobnicate"], 2),
        (&["init", "--dir", "c"], 2),
        (&["init", "--profile", "bad.yaml", "--dir", "c"], 2),
        (&["init", "--profile", "good.yaml", "--dir", "c", "--node", "nobody"], 2),
        (&["init", "--profile", "good.yaml", "--dir", "c", "--lock-timeout", "5"], 2),
        (&["profile", "validate", "good.yaml", "bad.yaml"], 2),
        (&["profile", "show", "bad.yaml"], 2),
    ] {
        let run = place.kpki(words);
        assert_eq!(run.status, status, "{words:?}: {}{}", run.stdout, run.stderr);
        assert!(!place.path("c").exists(), "{words:?}");
    }
}

#[test]
fn a_wrong_profile_is_refused_with_every_problem_in_its_place() {
    let place = Place::new();
    place.write(
        "p.yaml",
        "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterNmae: x\nnetworking:\n  serviceSubnet: 10.96.0.0/33\n\
         nodes:\n- name: CP1\n  addresses: [10.0.0.300]\n  rolse: []\n",
    );
    place.run(&["init", "-p", "p.yaml", "--dir", "k8s"]).status(2).recorded("wrong-profile/init");
    place.run(&["profile", "validate", "p.yaml"]).status(2).recorded("wrong-profile/validate");
}

#[test]
fn hostile_profiles_are_refused_and_write_nothing() {
    let place = Place::new();
    let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain((1..30).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "))))
        .collect();
    let cases = [
        ("bomb", bomb),
        ("deep", "[".repeat(200_000)),
        ("deep-maps", "{a: ".repeat(200_000)),
        ("large", "#".repeat(2 << 20)),
        ("escape", single("extraCertificates:\n- {name: x, usages: [client], path: ../../x}\n")),
        ("absolute", single("extraCertificates:\n- {name: x, usages: [client], path: /etc/x}\n")),
        (
            "node",
            "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- name: ../x\n  addresses: [10.0.0.1]\n".to_owned(),
        ),
        (
            "nul",
            "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- name: \"a\\0b\"\n  addresses: [10.0.0.1]\n"
                .to_owned(),
        ),
        (
            "newline",
            "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- name: \"a\\nb\"\n  addresses: [10.0.0.1]\n"
                .to_owned(),
        ),
        ("escapes", "apiVersion: kpki/v1\nkind: ClusterProfile\n\"\\e[31mred\": 1\nnodes: []\n".to_owned()),
        ("empty", String::new()),
        ("binary", "\u{1}\u{2}".to_owned()),
    ];
    for (name, text) in cases {
        place.write("p.yaml", text);
        let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]);
        assert!([1, 2].contains(&run.status), "{name}: {run:?}");
        assert!(run.stderr.starts_with("error: ") && !run.stderr.contains('\x1b'), "{name}: {}", run.stderr);
        assert!(run.stderr.len() < 100_000, "{name}: {} bytes", run.stderr.len());
        assert!(!place.path("k8s").exists(), "{name}");
    }
}

#[test]
fn errors_have_the_houses_voice() {
    let place = Place::new();
    let refused = |name, status, words: &[&str]| {
        let words = [&["init", "--dir", "k8s"], words].concat();
        place.run(&words).status(status).recorded(&format!("no-profile/{name}"));
    };
    refused("none", 2, &[]);
    refused("missing", 1, &["-p", "nope.yaml"]);
    place.write("p.yaml", single(""));
    refused("no-such-node", 2, &["-p", "p.yaml", "--node", "cp9"]);
}

#[test]
fn a_workers_tree_is_made_in_a_cluster_directory_only() {
    let place = Place::new();
    place.write(
        "p.yaml",
        "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: w1, roles: [worker], addresses: [10.0.0.9]}\n",
    );
    let run = place.run(&["init", "-p", "p.yaml", "--dir", "k8s", "--node", "w1"]);
    run.status(1).recorded("worker-alone");
}
