//! The page of `check-expiration -o html` in Chromium: it is applied as it is, nothing in it runs but its own script, and it can be
//! read on a small and on a large screen, in the light and in the dark.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, kpki, program, project, run, scratch, write};

/// Measures the page in a frame of a given width, from outside: the page itself is not changed, and its policy holds.
const WRAPPER: &str = include_str!("html_wrapper.html");

/// What would be seen in the measurements if a browser took it for markup.
const HOSTILE: [&str; 6] = [
    "<script>parent.document.title=document.title='owned'<",
    "\"><img src=x onerror=document.title='owned'>",
    "' onmouseover='document.title=1",
    "&lt;script&gt;document.title='owned'&lt;",
    "\u{202e}gpj.\u{2066}evil",
    "a-name-without-any-place-at-which-a-line-might-be-broken-and-longer-than-a-small-screen-is-wide",
];

fn chromium(dir: &Path, words: &[&str], file: &str) -> Ran {
    let mut command = program("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
    command.args(["--allow-file-access-from-files", "--virtual-time-budget=20000", "--window-size=1700,1200"]);
    command.arg(format!("--user-data-dir={}", dir.join("profile").display()));
    command.args(words).arg(format!("file://{}", dir.join(file).display()));
    // Of a settled home nothing is read, and no bus is waited for.
    command.env("HOME", dir).env_remove("DBUS_SESSION_BUS_ADDRESS");
    run(&mut command)
}

/// What the browser measured of `page.html` at this width.
fn measured(dir: &Path, width: u32, words: &[&str]) -> Value {
    write(dir.join("wrapper.html"), WRAPPER.replace("WIDTH", &width.to_string()));
    let ran = chromium(dir, &[words, &["--dump-dom"]].concat(), "wrapper.html").expect_ok("chromium");
    let (_, rest) = ran.out.split_once("<pre>").unwrap_or_else(|| panic!("{}", ran.out));
    let text = rest.split("</pre>").next().unwrap().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Certificates that end every few weeks, of everybody who might be in a fleet.
fn fleet(dir: &Path) {
    for (n, name) in HOSTILE.iter().enumerate() {
        let name = name.replace('/', "_");
        for end in 0..24 {
            let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(rcgen::DnType::CommonName, name.as_str());
            params.not_before = rcgen::date_time_ymd(2026, 1, 1);
            params.not_after = rcgen::date_time_ymd(2026, 10, 1)
                + (time::Duration::days(9) * (end + i32::try_from(n).unwrap() * 2 * end % 50));
            let der = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            write(dir.join("fleet").join(&name).join(format!("{name}-{end}.crt")), der.der());
        }
    }
}

fn page(dir: &Path, html: &Path) -> String {
    let mut command = kpki();
    command.current_dir(dir).args(["check-expiration", "--at", "2026-11-20T22:00:00Z", "--exit-zero", "-o", "html"]);
    command.arg("--output-file").arg(html);
    for name in HOSTILE {
        command.arg(Path::new("fleet").join(name.replace('/', "_")));
    }
    for folder in ["v1.20-rsa2048", "v1.36-expired", "v1.36-external-ca", "v1.36-dualstack-p384"] {
        command.arg(project("fixtures/kubeadm").join(folder).join("etc-kubernetes"));
    }
    run(&mut command).expect_ok("page");
    std::fs::read_to_string(html).unwrap()
}

#[test]
fn a_page_can_be_read_on_every_screen_and_nothing_hostile_runs() {
    let place = scratch();
    fleet(place.path());
    page(place.path(), &place.path().join("page.html"));
    let dark = "--blink-settings=preferredColorScheme=0";
    let light = "--blink-settings=preferredColorScheme=1";
    let mut grounds = std::collections::BTreeSet::new();
    for (width, scheme) in [(360, light), (360, dark), (800, light), (1600, light), (1600, dark)] {
        let found = measured(place.path(), width, &[scheme]);
        for fault in ["overflow", "outside", "overlaps", "faint"] {
            assert_eq!(found[fault], Value::Array(Vec::new()), "{fault} at {width}");
        }
        assert_eq!(found["title"], "Certificates of 10 clusters", "something ran");
        assert_eq!((&found["width"], &found["articles"]), (&width.into(), &10.into()));
        assert!(found["texts"].as_u64().unwrap() > 300, "{found}");
        // Style and script have the hashes that the policy allows.
        assert_eq!((&found["styled"], &found["filter"]), (&true.into(), &true.into()), "{found}");
        assert_eq!((&found["filtered"], &found["listed"]), (&1.into(), &1.into()), "{found}");
        assert_eq!((&found["handlers"], &found["images"]), (&0.into(), &0.into()), "{found}");
        grounds.insert(found["ground"].as_str().unwrap().to_owned());
    }
    assert_eq!(grounds.len(), 2, "light and dark: {grounds:?}");
}

/// What the measurements are worth: a page with each fault is found out.
#[test]
fn faults_of_a_page_are_seen() {
    let place = scratch();
    fleet(place.path());
    let text = page(place.path(), &place.path().join("page.html"));
    let without_policy = text.replace("http-equiv=\"Content-Security-Policy\"", "name=\"none\"");
    for (fault, old, new) in [
        ("overflow", "<main>", "<main><div style=\"width:3000px\">wide</div>"),
        ("outside", "<main>", "<main><div style=\"position:relative;left:-50px\">left</div>"),
        ("overlaps", "<main>", "<main><div style=\"margin-bottom:-60px\">over the next one</div>"),
        ("faint", "--muted: #57606a", "--muted: #b0b8c0"),
    ] {
        write(place.path().join("page.html"), without_policy.replace(old, new));
        let found = measured(place.path(), 360, &["--blink-settings=preferredColorScheme=1"]);
        assert!(!found[fault].as_array().unwrap().is_empty(), "{fault}: {found}");
    }
    // With the policy in place a style or script of somebody else is not used.
    let changed =
        text.replace("--muted: #57606a", "--muted: #b0b8c0").replace("'use strict'", "'no'; document.title = 'owned'");
    write(place.path().join("page.html"), changed);
    let found = measured(place.path(), 360, &[]);
    assert_eq!((&found["styled"], &found["filter"]), (&false.into(), &false.into()), "{found}");
    assert_eq!(found["title"], "Certificates of 10 clusters");
}

/// Without the frame, as a person opens it: a picture that is not of one colour, and a printed document.
#[test]
fn a_page_is_drawn_and_printed() {
    let place = scratch();
    fleet(place.path());
    page(place.path(), &place.path().join("page.html"));
    let shot = place.path().join("shot.png");
    chromium(place.path(), &[&format!("--screenshot={}", shot.display())], "page.html").expect_ok("screenshot");
    let picture = std::fs::read(&shot).unwrap();
    let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (1700, 1200));
    // An empty one of this size has 10 KB.
    assert!(picture.len() > 60_000, "{}", picture.len());
    // The tables of closed clusters are printed, too.
    let text = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    let closed =
        text.replace("http-equiv=\"Content-Security-Policy\"", "name=\"none\"").replace("details-content", "none");
    write(place.path().join("closed.html"), closed);
    let (open, closed) = (pages(place.path(), "page.html"), pages(place.path(), "closed.html"));
    assert!(open > closed + 3, "{open} {closed}");
}

/// How many it has when it is printed.
fn pages(dir: &Path, file: &str) -> usize {
    let pdf = dir.join("page.pdf");
    chromium(dir, &["--no-pdf-header-footer", &format!("--print-to-pdf={}", pdf.display())], file).expect_ok("print");
    let printed = std::fs::read(&pdf).unwrap();
    printed.windows(12).filter(|window| window == b"/Type /Page\n").count()
}
