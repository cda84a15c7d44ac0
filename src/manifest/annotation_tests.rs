use super::*;
use proptest::prelude::*;

const KEY: &str = "kpki/generation";
const NEW: &str = "20261127T120000Z-renew";
const POD: &str = "kube-scheduler";

/// In the shape in which kubeadm 1.36 writes them.
const KUBEADM: [(&str, &str); 4] = [
    ("etcd", include_str!("../../fixtures/manifests/etcd.yaml")),
    ("kube-apiserver", include_str!("../../fixtures/manifests/kube-apiserver.yaml")),
    ("kube-controller-manager", include_str!("../../fixtures/manifests/kube-controller-manager.yaml")),
    ("kube-scheduler", include_str!("../../fixtures/manifests/kube-scheduler.yaml")),
];

fn pod(metadata: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\n{metadata}spec: # all of it\n  containers: [{{name: s}}]\n")
}

fn set(manifest: &str) -> Result<String, NotAnnotated> {
    annotate(manifest.as_bytes(), POD, KEY, NEW).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn one_line_is_new_and_the_rest_stays() {
    for (before, after) in [
        ("metadata:\n  name: kube-scheduler\n", "metadata:\n  annotations:\n    LINE\n  name: kube-scheduler\n"),
        (
            "metadata: # why\n    # who\n    name: kube-scheduler\n",
            "metadata: # why\n    annotations:\n      LINE\n    # who\n    name: kube-scheduler\n",
        ),
        (
            "metadata:\n  name: kube-scheduler\n  annotations:\n    # mine\n    a/b: c # d\n  labels: {a: b}\n",
            "metadata:\n  name: kube-scheduler\n  annotations:\n    LINE\n    # mine\n    a/b: c # d\n  labels: {a: b}\n",
        ),
        (
            "metadata:\n  annotations:\n\n      \"a\": 'c'\n  name: kube-scheduler\n",
            "metadata:\n  annotations:\n      LINE\n\n      \"a\": 'c'\n  name: kube-scheduler\n",
        ),
        (
            "metadata:\n  annotations: # none\n  name: kube-scheduler\n",
            "metadata:\n  annotations: # none\n    LINE\n  name: kube-scheduler\n",
        ),
        (
            "metadata:\n  name: kube-scheduler\n  annotations:\n",
            "metadata:\n  name: kube-scheduler\n  annotations:\n    LINE\n",
        ),
        // The kubelet's name of it may be another.
        (
            "metadata:\n  labels:\n    component: kube-scheduler\n  name: own\n",
            "metadata:\n  annotations:\n    LINE\n  labels:\n    component: kube-scheduler\n  name: own\n",
        ),
        // It is there with another value, or in other quotes.
        (
            "metadata:\n  annotations:\n    x: y\n    kpki/generation: old # set\n  name: kube-scheduler\n",
            "metadata:\n  annotations:\n    x: y\n    LINE # set\n  name: kube-scheduler\n",
        ),
        (
            "metadata:\n  annotations:\n    kpki/generation: 'old'\n  name: kube-scheduler\n",
            "metadata:\n  annotations:\n    LINE\n  name: kube-scheduler\n",
        ),
        // A flow mapping in which it stands already is changed where it stands.
        (
            "metadata: {name: kube-scheduler, annotations: {kpki/generation: \"old\"}}\n",
            "metadata: {name: kube-scheduler, annotations: {LINE}}\n",
        ),
    ] {
        let line = format!("{KEY}: \"{NEW}\"");
        let (before, after) = (pod(before), pod(&after.replace("LINE", &line)));
        assert_eq!(set(&before), Ok(after.clone()), "{before}");
        assert_eq!(set(&after), Ok(after.clone()), "a second time nothing changes");
        assert_eq!(annotation(after.as_bytes(), KEY).as_deref(), Some(NEW));
        let windows = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(set(&windows(&before)), Ok(windows(&after)), "{before}");
    }
}

#[test]
fn what_cannot_be_done_exactly_is_refused() {
    use NotAnnotated::{NotOnePod, OtherPod, Style, Unreadable, Value};
    for (metadata, why) in [
        ("metadata: {name: kube-scheduler}\n", Style),
        ("metadata:\n  {name: kube-scheduler}\n", Style),
        ("metadata: {\n  name: kube-scheduler\n  }\n", Style),
        ("metadata: {\n  \"annotations\": {\n  \"x\": \"y\"},\n  \"name\": \"kube-scheduler\"}\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations: {}\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations: {a: b}\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations:\n    {a: b}\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations: null\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations: ~\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations: []\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations: text\n", Style),
        ("metadata:\n  ? name\n  : kube-scheduler\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations:\n    kpki/generation: |\n      old\n", Style),
        ("metadata:\n  name: kube-scheduler\n  annotations:\n    kpki/generation: a\n     b\n", Value),
        ("metadata:\n  name: kube-scheduler\n  annotations:\n    kpki/generation:\n", Value),
        ("metadata:\n  name: kube-scheduler\n  annotations:\n    kpki/generation: [a]\n", Value),
        ("metadata: &m\n  name: kube-scheduler\n", Unreadable),
        ("metadata:\n  name: &n kube-scheduler\n", Unreadable),
        ("metadata:\n  name: !!str kube-scheduler\n", Unreadable),
        ("metadata:\n  name: kube-scheduler\n  name: again\n", Unreadable),
        ("metadata:\n  name: kube-scheduler\n\tx: y\n", Unreadable),
        ("metadata:\n  name: etcd\n", OtherPod),
        ("metadata:\n", OtherPod),
        ("", NotOnePod),
        ("metadata:\n  name: kube-scheduler\n---\nkind: Pod\n", NotOnePod),
    ] {
        assert_eq!(set(&pod(metadata)), Err(why), "{metadata}");
    }
    for text in ["", "x", "- a\n", "kind: Deployment\nmetadata:\n  name: kube-scheduler\n"] {
        assert_eq!(set(text), Err(NotOnePod), "{text}");
    }
    assert_eq!(set("kind: Pod\nmetadata:\n  name: kube-scheduler\n  annotations:"), Err(Style), "no end of the line");
    assert_eq!(annotate(b"\xff\xfek", POD, KEY, NEW), Err(Unreadable));
}

#[test]
fn the_manifests_of_kubeadm_get_one_more_line_or_two() {
    for (component, manifest) in KUBEADM {
        let edited = annotate(manifest.as_bytes(), component, KEY, NEW).unwrap();
        let edited = String::from_utf8(edited).unwrap();
        let (old, new): (Vec<&str>, Vec<&str>) = (manifest.lines().collect(), edited.lines().collect());
        let mut left = new.clone();
        left.retain(|line| !line.contains(KEY) && (*line != "  annotations:" || old.contains(line)));
        assert_eq!(left, old, "{component}");
        assert_eq!(new.len() - old.len(), if manifest.contains("annotations:") { 1 } else { 2 }, "{component}");
        let later = annotate(edited.as_bytes(), component, KEY, "later").unwrap();
        assert_eq!(String::from_utf8(later).unwrap(), edited.replace(NEW, "later"), "{component}");
        let other = if component == "etcd" { "kube-apiserver" } else { "etcd" };
        assert_eq!(annotate(manifest.as_bytes(), other, KEY, NEW), Err(NotAnnotated::OtherPod));
    }
}

proptest! {
    /// Lines of whatever a manifest may have in its metadata, in any order: refused, or with new lines of ours and nothing else.
    #[test]
    fn only_our_lines_are_new(
        lines in proptest::collection::vec(
            proptest::sample::select(vec![
                "  name: kube-scheduler", "  annotations:", "    a/b: \"c\"", "    kpki/generation: x", "  labels:", "    l: m",
                "  # comment", "", "  annotations: {}", "      deep: 1", "    - item", "  text: |", "  folded: >-", "kind: Pod", "---",
                "  creationTimestamp: null", "spec: {}", "  'quoted key': 2", " odd: 3",
            ]),
            0..9,
        ),
        windows in any::<bool>(),
    ) {
        let end = if windows { "\r\n" } else { "\n" };
        let head = ["kind: Pod", "metadata:", "  name: kube-scheduler"];
        let manifest: String = head.iter().chain(&lines).map(|line| format!("{line}{end}")).collect();
        if let Ok(edited) = set(&manifest) {
            let mut rest = manifest.split_inclusive('\n').peekable();
            for line in edited.split_inclusive('\n') {
                let is_old = rest.peek() == Some(&line);
                // The line with the old value gives way.
                let gives_way = rest.peek().is_some_and(|old| old.contains(KEY)) && line.contains(KEY);
                if is_old || gives_way {
                    rest.next();
                } else {
                    let ours = [format!("{KEY}: \"{NEW}\""), "annotations:".to_owned()];
                    prop_assert!(ours.contains(&line.trim().to_owned()), "{line:?} in\n{edited}");
                }
            }
            prop_assert_eq!(rest.next(), None);
            prop_assert_eq!(set(&edited), Ok(edited.clone()));
        }
    }
}
