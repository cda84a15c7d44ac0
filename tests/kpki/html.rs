//! The page of `check-expiration -o html`: well-formed, by itself, readable, and whatever stands in a certificate or a path is text.

use std::collections::BTreeSet;

use kpki::encoding::base64;
use ring::digest::{SHA256, digest};
use roxmltree::{Document, Node, ParsingOptions};

use super::harness::{NOW, Place, copy_tree, repository};

/// What somebody might call a certificate, or a directory, to run a script in another's browser.
pub const HOSTILE: [&str; 9] = [
    "<script>document.title='owned'<",
    "\"><img src=x onerror=document.title='owned'>",
    "' onmouseover='document.title=1",
    "&lt;b&gt;&amp;&#60;script&#62;",
    "\u{202e}gpj.\u{2066}evil\u{61c}",
    "a\u{1b}[31mb\nc",
    "javascript:document.title='owned'",
    "]]>--><b>",
    "</title><style><svg onload=document.title='owned'>",
];

/// As the page shows it.
fn shown(name: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().map(|c| if steers(c) && c != '\n' { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// In DER.
fn certificate(name: &str) -> Vec<u8> {
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 11, 20);
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn page(text: &str) -> Document<'_> {
    Document::parse_with_options(text, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap()
}

fn elements<'a>(document: &'a Document<'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(move |node| node.has_tag_name(name))
}

/// Nothing of the page comes from a text: these are all its elements and attributes, and its links stay in it.
fn is_tame(document: &Document<'_>) {
    const ELEMENTS: [&str; 42] = [
        "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "nav", "ul", "li",
        "main", "section", "b", "svg", "desc", "g", "line", "rect", "text", "use", "code", "table", "caption", "thead",
        "tbody", "tr", "th", "td", "span", "label", "input", "output", "details", "summary", "article", "footer",
        "script",
    ];
    const ATTRIBUTES: [&str; 27] = [
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "href",
        "id",
        "aria-label",
        "aria-labelledby",
        "aria-live",
        "role",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "width",
        "height",
        "transform",
        "stroke-dasharray",
        "scope",
        "hidden",
        "type",
        "autocomplete",
        "open",
    ];
    let mut ids = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for node in document.descendants().filter(Node::is_element) {
        assert!(ELEMENTS.contains(&node.tag_name().name()), "{node:?}");
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(ATTRIBUTES.contains(&name), "{node:?}");
            match name {
                "id" => assert!(ids.insert(value.to_owned()), "{value} twice"),
                "href" => _ = wanted.insert(value.strip_prefix('#').unwrap().to_owned()),
                "aria-labelledby" => wanted.extend(value.split(' ').map(str::to_owned)),
                _ => {}
            }
        }
    }
    for id in &ids {
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
    }
    assert!(wanted.is_subset(&ids), "{:?}", wanted.difference(&ids).collect::<Vec<_>>());
    assert_eq!((elements(document, "script").count(), elements(document, "style").count()), (1, 1));
}

/// A browser runs and applies what has these hashes and nothing else.
fn is_closed(document: &Document<'_>) {
    let policy = elements(document, "meta").find(|meta| meta.attribute("http-equiv").is_some()).unwrap();
    assert_eq!(policy.attribute("http-equiv"), Some("Content-Security-Policy"));
    let hash = |name: &str| {
        let text = elements(document, name).next().unwrap().text().unwrap().to_owned();
        for reaches_out in ["url(", "@import", "http", "//", "eval"] {
            assert!(!text.contains(reaches_out), "{reaches_out} in {name}");
        }
        format!("'sha256-{}'", base64::encode(digest(&SHA256, text.as_bytes()).as_ref()).as_str())
    };
    let expected = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash("style"),
        hash("script")
    );
    assert_eq!(policy.attribute("content"), Some(expected.as_str()));
}

#[test]
fn hostile_names_are_text() {
    let place = Place::new();
    let mut words = vec!["check-expiration", "--at", NOW, "-o", "html"];
    let directories: Vec<String> = HOSTILE.iter().map(|name| format!("fleet/{}", name.replace('/', "_"))).collect();
    for (directory, name) in directories.iter().zip(HOSTILE) {
        place.write(&format!("{directory}/{}.crt", name.replace('/', "_")), certificate(name));
        words.push(directory);
    }
    let run = place.kpki(&words).status(0);
    let document = page(&run.stdout);
    is_tame(&document);
    is_closed(&document);
    let text: String = document.descendants().filter_map(|node| node.text()).collect::<Vec<_>>().join("\n");
    for (directory, name) in directories.iter().zip(HOSTILE) {
        assert!(text.contains(&shown(directory)), "{directory}");
        // The subject as RFC 4514 writes it has escapes of its own.
        assert!(text.contains(&format!("{}.crt", shown(&name.replace('/', "_")))), "{name}\n{text}");
    }
    assert!(!run.stdout.chars().any(|c| matches!(c, '\u{202e}' | '\u{2066}' | '\u{61c}' | '\u{1b}')));
}

#[test]
fn one_tree_is_a_page_too_and_is_written_as_a_file() {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-expired/etc-kubernetes"), &place.path("k8s"));
    let words = ["check-expiration", "k8s", "--at", "2026-11-20T21:23:56Z", "-o", "html"];
    let run = place.kpki(&words).status(4);
    let document = page(&run.stdout);
    is_tame(&document);
    is_closed(&document);
    // Of one cluster the tables are open.
    assert!(elements(&document, "details").any(|details| details.has_attribute("open")));
    for (table, headers) in [(0, 5), (1, 5)] {
        let table = elements(&document, "table").nth(table).unwrap();
        let scoped = |scope: &str| table.descendants().filter(|th| th.attribute("scope") == Some(scope)).count();
        assert!(scoped("col") == headers && scoped("row") >= 10, "{} {}", scoped("col"), scoped("row"));
    }
    for part in ["What to do", "Most urgent", "12 expired", "kpki renew all --due --dir k8s", "CN=kubernetes-admin"] {
        assert!(run.stdout.contains(part), "{part}");
    }
    let svg = elements(&document, "svg").next().unwrap();
    let described = svg.children().find(|node| node.has_tag_name("desc")).and_then(|desc| desc.text());
    assert!(described.is_some_and(|text| text.contains("12 ends")), "{described:?}");
    let file = place.kpki(&[&words[..], &["--output-file", "page.html"]].concat()).status(4);
    assert_eq!((file.stdout.as_str(), place.read("page.html") == run.stdout), ("", true));
    // Nothing in the way is replaced, and nothing is written to a directory that is not there.
    place.kpki(&[&words[..], &["--output-file", "absent/page.html"]].concat()).fails(1);
}

/// WCAG 2.1, 1.4.3: text has a contrast of 4.5 at least, in the light and in the dark.
#[test]
fn every_colour_can_be_read() {
    let style = include_str!("../../src/report/check/html/style.css");
    let palettes: Vec<&str> = style.split(":root {").skip(1).map(|part| part.split('}').next().unwrap()).collect();
    assert_eq!(palettes.len(), 2);
    for palette in palettes {
        let colour = |name: &str| {
            let (_, rest) = palette.split_once(&format!("--{name}: #")).unwrap();
            luminance(&rest[..6])
        };
        for text in ["text", "muted", "link", "ok", "warn", "bad"] {
            for ground in ["page", "card"] {
                let (a, b) = (colour(text), colour(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
            }
        }
    }
    // No colour stands anywhere else.
    assert_eq!(style.matches('#').count() - 2 * 9, style.matches("#filter").count());
}

fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}
