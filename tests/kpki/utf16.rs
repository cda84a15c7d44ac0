//! Files as Windows PowerShell writes them: every reader names the encoding and the way out.

use super::harness::{Place, text};

const LITTLE: fn(u16) -> [u8; 2] = u16::to_le_bytes;
const BIG: fn(u16) -> [u8; 2] = u16::to_be_bytes;

fn in_utf16(text: &str, order: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    format!("{mark}{text}").replace('\n', "\r\n").encode_utf16().flat_map(order).collect()
}

#[test]
fn utf16_is_named_whatever_reads_it() {
    let crt = text("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
    let conf = text("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/admin.conf");
    let [crt, conf] = [crt, conf].map(|path| std::fs::read_to_string(path).unwrap());
    for (order, mark, encoding) in
        [(LITTLE, true, "UTF-16"), (BIG, true, "UTF-16"), (LITTLE, false, "UTF-16LE"), (BIG, false, "UTF-16BE")]
    {
        let place = Place::new();
        place.write("a file", in_utf16(&crt, order, mark));
        place.write("d/conf", in_utf16(&conf, order, mark));
        place.write("d/note.txt", in_utf16("a note\n", order, mark));
        place.write("profile.yaml", in_utf16("kubernetesVersion: v1.36.0\n", order, mark));
        for (words, status) in [
            (&["inspect", "a file"][..], 1),
            (&["check-expiration", "a file"], 4),
            (&["check-expiration", "d"], 4),
            (&["convert", "a file", "--to", "der", "--out", "x"], 1),
            (&["convert", "d", "--to", "pem", "--out", "x/"], 1),
            (&["crl", "show", "a file"], 1),
            (&["sign", "a file", "--usage", "client", "--ca-cert", "a file", "--ca-key", "a file", "--out", "-"], 1),
            (&["profile", "validate", "profile.yaml"], 1),
        ] {
            let run = place.kpki(words);
            let what = format!("{encoding}: {words:?}\n{}{}", run.stdout, run.stderr);
            assert_eq!(run.status, status, "{what}");
            assert!(
                format!("{}{}", run.stdout, run.stderr).contains(&format!("iconv -f {encoding} -t UTF-8")),
                "{what}"
            );
            assert!(!run.wrote, "{what}");
        }
        // What stands in a tree, and a verb that is about something else.
        place.write("tree/pki/ca.crt", in_utf16(&crt, order, mark));
        place.write("tree/admin.conf", in_utf16(&conf, order, mark));
        let run = place.kpki(&["renew", "all", "--dir", "tree", "--dry-run"]);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(&format!("text in UTF-16 (iconv -f {encoding} -t UTF-8")), "{encoding}: {said}");
        let refused = place.kpki(&["convert", "a file", "--to", "der", "--out", "x"]).stderr;
        assert!(refused.contains(&format!("iconv -f {encoding} -t UTF-8 'a file' > 'a file.utf8'")), "{refused}");
    }
}
