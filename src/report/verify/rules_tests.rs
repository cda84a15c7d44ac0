use time::macros::datetime;

use super::*;
use crate::report::{Form, write as form};
use crate::verify::Severity;

static FIRST: Rule = Rule {
    id: "chain/broken",
    severity: Severity::Error,
    what: "a certificate is not signed by the authority it is for, whatever its names and its dates say about that",
    why: "RFC 5280 section 6.1",
    repair: "have it signed again",
    follows: &[],
};
static SECOND: Rule = Rule {
    id: "edge/refused",
    severity: Severity::Notice,
    what: "a-word-that-is-longer-than-a-line-of-a-screen-can-be-without-being-cut-in-two-somewhere end",
    why: "RFC 8446",
    repair: "repair what the reason names",
    follows: &["chain/broken", "dates/expired"],
};

fn shown(as_form: Form) -> String {
    let mut out = Vec::new();
    let rules = Rules { rules: vec![&FIRST, &SECOND] };
    form(&rules, as_form, datetime!(2026-11-20 22:00 UTC), Some(120), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_text_has_eighty_columns() {
    let expected = "\
chain/broken (error)
    a certificate is not signed by the authority it is for, whatever its names
    and its dates say about that.
    Why: RFC 5280 section 6.1.
    To repair: have it signed again.

edge/refused (notice)
    a-word-that-is-longer-than-a-line-of-a-screen-can-be-without-being-cut-in-two-somewhere
    end.
    Why: RFC 8446.
    To repair: repair what the reason names.
    Follows from: chain/broken, dates/expired.
";
    assert_eq!(shown(Form::Table), expected);
}

#[test]
fn the_document_has_all_of_a_rule() {
    let document: serde_json::Value = serde_json::from_str(&shown(Form::Json)).unwrap();
    let expected = serde_json::json!({
        "apiVersion": "kpki/v1",
        "kind": "Rules",
        "rules": [
            {
                "id": "chain/broken",
                "severity": "error",
                "what": FIRST.what,
                "why": "RFC 5280 section 6.1",
                "repair": "have it signed again",
                "follows": [],
            },
            {
                "id": "edge/refused",
                "severity": "notice",
                "what": SECOND.what,
                "why": "RFC 8446",
                "repair": "repair what the reason names",
                "follows": ["chain/broken", "dates/expired"],
            },
        ],
    });
    assert_eq!(document, expected);
}
